"""Messages about what cannot be done with a node, or made into one."""

from collections.abc import Sequence
from typing import Any

from symback.errors.kinds import InputError, NoScalarError, UsageError
from symback.errors.words import show


def not_a_node(value: object) -> UsageError:
    """A value that cannot become a node."""
    return UsageError(
        f"cannot use {type(value).__name__} in a graph: {str(value)[:80]!r}; "
        "use nodes, numbers, NumPy arrays or SymPy expressions"
    )


def numpy_matrix(value: Any) -> UsageError:
    """A `numpy.matrix`, whose ``*`` is the matrix product."""
    return UsageError(
        f"cannot use a numpy.matrix of shape {value.shape} in a graph: its * is the matrix product; convert it with "
        "np.asarray, and write @ for that product"
    )


def bad_node(kind: str, reason: str) -> UsageError:
    """Arguments of which no node can be built."""
    return UsageError(f"{kind}: {reason}")


def bad_declaration(name: str, reason: str) -> UsageError:
    """A primitive that is declared wrongly."""
    return UsageError(f"primitive {name!r}: {reason}")


def no_truth_value(node: Any) -> UsageError:
    """A node used where Python wants True or False."""
    return UsageError(
        f"{node.short()} has no truth value while the graph is built; use sb.where, sb.logical_and and sb.logical_or "
        "instead of if, and, or"
    )


def no_number(node: Any, kind: str) -> UsageError:
    """A node used where Python wants a number."""
    return UsageError(f"{node.short()} is symbolic and has no {kind} value; evaluate it with sb.lambdify")


def no_iteration(node: Any) -> UsageError:
    """Iteration over an axis whose length is not known."""
    return UsageError(
        f"cannot iterate over {show(node)}: its first axis has no fixed length; index it or use a reduction"
    )


def no_equality(node: Any, other: object) -> UsageError:
    """``node == value``, which is ambiguous."""
    return UsageError(
        f"== compares nodes by identity; {node.short()} == {type(other).__name__} is ambiguous: "
        "use sb.equal (or sb.not_equal) for an elementwise comparison"
    )


def use_instead(what: str, instead: str) -> UsageError:
    """A SymPy function that must not be used on nodes."""
    return UsageError(f"{what} does not work on symback nodes (it has no sharing); use {instead}")


def no_sympy(name: str) -> NoScalarError:
    """Something that SymPy's constructors and functions ask of a scalar."""
    return NoScalarError(
        f"SymPy's Add, Mul, Pow, functions and methods do not work on symback nodes (here {name}: nodes have shapes, "
        "and share); use operators, sb.exp, sb.sin, …, or sb.to_sympy(node) for a scalar"
    )


def not_convertible(operation: str, value: object, hint: str) -> UsageError:
    """An expression that cannot be converted."""
    return UsageError(f"{operation}: cannot convert {type(value).__name__} ({str(value)[:80]}); {hint}")


def no_expression(node: object, reason: str) -> UsageError:
    """A node that SymPy has no expression for."""
    return not_convertible("to_sympy", node, f"{reason}; sb.lambdify, sb.dumps and sympy.latex take the node as it is")


def no_counterpart(kind: str, text: str, hint: str) -> UsageError:
    """A part of a SymPy expression that has no counterpart in a graph; `text` is empty if it is long."""
    return UsageError(f"from_sympy: cannot convert {kind}{f' ({text[:80]})' if text else ''}; {hint}")


def bad_document(reason: str) -> InputError:
    """Text that is no serialised graph."""
    return InputError(f"this is no symback graph: {reason}")


def immutable(node: Any, attribute: str) -> UsageError:
    """An attribute of a node that is assigned or deleted."""
    return UsageError(
        f"nodes cannot be changed: {attribute!r} of {node.short()} is set when it is made; make another node instead "
        "(node.subs replaces nodes and sizes)"
    )


def no_operator(operator: str, instead: str) -> UsageError:
    """An operator of Python's numbers that nodes do not have."""
    return UsageError(f"{operator} is not supported on symback nodes; write {instead}")


def mixed_symbols(value: object, sizes: Sequence[str]) -> UsageError:
    """A SymPy expression of symbolic sizes and of other symbols."""
    return UsageError(
        f"cannot use {str(value)[:80]} in a graph: it mixes the symbolic sizes {', '.join(sizes)} with symbols for "
        f"values; multiply nodes by each alone, or write sb.size({sizes[0]!r}) for the size"
    )


def missing_extra(extra: str, name: str) -> UsageError:
    """Something that needs an optional dependency that is not installed."""
    return UsageError(f"{name} needs {extra}, which is not installed; pip install 'symback[{extra}]'")
