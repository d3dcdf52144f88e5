"""Every error symback raises: one base class, few children, and one function per message.

A message names the operation, the shapes or names involved, and the cure. The functions
build the exception; the caller raises it, so that tracebacks end where the fault is.
"""

from collections.abc import Iterable, Sequence
from typing import Any


class SymbackError(Exception):
    """Base class of all errors raised by symback."""


class ShapeError(SymbackError, ValueError):
    """Shapes, axes or sizes that do not fit together."""


class DtypeError(SymbackError, TypeError):
    """A dtype that an operation, a derivative or an argument cannot have."""


class InvalidNameError(SymbackError, ValueError):
    """A name that cannot be used in emitted code, or that stands for two things."""


class DerivativeError(SymbackError, ValueError):
    """A derivative that does not exist or was asked for wrongly."""


class InputError(SymbackError, ValueError):
    """Inputs, outputs or bindings that do not match the graph."""


class UsageError(SymbackError, TypeError):
    """A Python construct that cannot be applied to a graph node, or a wrong kind of argument."""


class MissingExtraError(SymbackError, ImportError):
    """An optional dependency that is not installed."""


def show_shape(shape: Iterable[object]) -> str:
    """Write a shape as NumPy does: ``(n, 3)``, ``(n,)``, ``()``."""
    sizes = [str(size) for size in shape]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"


def _show(node: Any) -> str:
    """Name a node and its shape in a message: ``W1 (h, n)``."""
    return f"{node.short()} {show_shape(node.shape)}"


def _listed(nodes: Iterable[Any]) -> str:
    return " and ".join(_show(node) for node in nodes)


# -- shapes ---------------------------------------------------------------------------------


def no_broadcast(operation: str, nodes: Sequence[Any], left: object, right: object) -> ShapeError:
    """Operands whose shapes do not broadcast."""
    hint = (
        "sizes must be equal or literally 1"
        if isinstance(left, int) and isinstance(right, int)
        else "a symbolic size broadcasts only against itself or a literal 1; give both the same size name"
    )
    return ShapeError(f"{operation}: cannot broadcast {_listed(nodes)}: size {left} against {right} ({hint})")


def label_mismatch(operation: str, nodes: Sequence[Any], left: object, right: object) -> ShapeError:
    """Contracted axes of different size."""
    return ShapeError(
        f"{operation}: {_listed(nodes)} do not fit: size {left} meets {right}; "
        "transpose an operand or give both axes the same size"
    )


def wrong_rank(operation: str, node: Any, wanted: str) -> ShapeError:
    """An operand with the wrong number of axes."""
    return ShapeError(f"{operation}: {_show(node)} has {len(node.shape)} axes, wanted {wanted}")


def bad_axis(operation: str, node: Any, axis: object) -> ShapeError:
    """An axis that the operand does not have, or one that is named twice."""
    rank = len(node.shape)
    return ShapeError(
        f"{operation}: axis {axis} is out of range or repeated for {_show(node)}; "
        f"axes are distinct integers from {-rank} to {rank - 1}"
    )


def bad_reshape(node: Any, shape: Iterable[object]) -> ShapeError:
    """A reshape that changes the number of entries."""
    return ShapeError(
        f"reshape: {_show(node)} cannot become {show_shape(shape)}: the number of entries differs "
        "(or cannot be shown equal for these symbolic sizes)"
    )


def bad_size(size: object) -> ShapeError:
    """Something that is no size."""
    return ShapeError(
        f"{size!r} is no size: use an integer >= 0, the name of a symbolic size such as 'n', "
        "or a polynomial of such sizes with integer coefficients"
    )


def bad_index(node: Any, index: object, reason: str) -> ShapeError:
    """An index that basic slicing cannot take."""
    return ShapeError(f"indexing {_show(node)} with {index!r}: {reason}")


def bad_concatenate(nodes: Sequence[Any], axis: int) -> ShapeError:
    """Operands of concatenate that differ outside the joined axis."""
    return ShapeError(f"concatenate along axis {axis}: {_listed(nodes)} must agree in every other axis")


def empty_reduction(operation: str, node: Any) -> ShapeError:
    """A reduction without identity over no entries."""
    return ShapeError(
        f"{operation}: {_show(node)} has no entries along the reduced axes and {operation} has no identity"
    )


def bad_subscripts(subscripts: object, reason: str) -> ShapeError:
    """An einsum pattern that is malformed."""
    return ShapeError(f"einsum {subscripts!r}: {reason}")


def empty_sequence(operation: str) -> ShapeError:
    """An operation on a list of operands that got none."""
    return ShapeError(f"{operation} needs at least one operand")


# -- dtypes -----------------------------------------------------------------------------------


def bad_dtype(dtype: object) -> DtypeError:
    """A dtype symback does not support."""
    return DtypeError(f"dtype {dtype!r} is not supported: use float64, float32, bool or an integer dtype")


def operand_dtype(operation: str, node: Any, wanted: str) -> DtypeError:
    """An operand whose dtype the operation cannot take."""
    return DtypeError(f"{operation}: {node.short()} has dtype {node.dtype}, wanted {wanted}; convert with .astype(...)")


def not_differentiable_dtype(node: Any) -> DtypeError:
    """A derivative with respect to something that is not real-valued."""
    return DtypeError(
        f"cannot differentiate with respect to {node.short()}: its dtype is {node.dtype}, "
        "derivatives need float32 or float64; convert with .astype('float64') and differentiate by that"
    )


def integer_overflow(value: object) -> DtypeError:
    """An exact integer that no 64-bit integer holds."""
    return DtypeError(
        f"the integer {value} does not fit int64; use a float (for example {float(value)!r})"  # type: ignore[arg-type]
        if abs(value) < 2**1023
        else "an integer constant is too large for any dtype"
    )  # type: ignore[operator]


# -- names ------------------------------------------------------------------------------------


def bad_name(name: object, reason: str) -> InvalidNameError:
    """A name that cannot stand in emitted code."""
    return InvalidNameError(
        f"{name!r} cannot be used as a name: {reason}; use letters, digits and underscores, "
        "starting with a letter (give the look in print by latex=...)"
    )


def name_clash(name: str, first: Any, second: Any) -> InvalidNameError:
    """One name for two different things."""
    return InvalidNameError(
        f"the name {name!r} stands for two different things: {_show(first)} of {first.dtype} and "
        f"{_show(second)} of {second.dtype}; rename one"
    )


# -- derivatives --------------------------------------------------------------------------------


def not_scalar(operation: str, node: Any) -> DerivativeError:
    """A loss that has axes."""
    return DerivativeError(
        f"{operation}: the loss {_show(node)} is not a scalar (shape ()); sum it first, or use sb.jacobian or sb.vjp"
    )


def disconnected(operation: str, output: Any, node: Any) -> DerivativeError:
    """A variable that the output does not depend on."""
    return DerivativeError(
        f"{operation}: {output.short()} does not depend on {_show(node)}; "
        "check the graph, or pass disconnected='zero' to get zeros"
    )


def no_derivative(primitive: str) -> DerivativeError:
    """A primitive that was declared without a derivative."""
    return DerivativeError(
        f"{primitive} has no derivative: declare one (derivative=... or vjp=...), "
        "or wrap its argument in sb.stop_gradient if none is wanted"
    )


def cotangent_mismatch(operation: str, node: Any, given: Any) -> ShapeError:
    """A seed whose shape is not that of its output (or variable)."""
    return ShapeError(f"{operation}: the vector for {_show(node)} is {_show(given)}; it must have the same shape")


def cotangent_count(operation: str, wanted: int, given: int) -> InputError:
    """Lists of outputs (or variables) and vectors of different length."""
    return InputError(f"{operation}: {wanted} vectors are needed, one for each, but {given} were given")


def bad_option(operation: str, option: str, value: object, allowed: Sequence[object]) -> InputError:
    """A keyword with a value that is not among the allowed ones."""
    return InputError(f"{operation}: {option}={value!r} is not known; use {' or '.join(repr(a) for a in allowed)}")


# -- inputs and outputs -----------------------------------------------------------------------------


def missing_input(operation: str, names: Sequence[str]) -> InputError:
    """Variables that the outputs need and the inputs lack."""
    return InputError(
        f"{operation}: the outputs depend on {', '.join(names)}, which {'is' if len(names) == 1 else 'are'} not among the inputs; add {'it' if len(names) == 1 else 'them'}"
    )


def unbound_size(operation: str, name: str) -> InputError:
    """A symbolic size that no input's shape determines."""
    return InputError(
        f"{operation}: the size {name!r} cannot be read from the shape of any input; "
        "add an input that has it as an axis, or use an integer size"
    )


def repeated_input(name: str) -> InputError:
    """An input that is listed twice."""
    return InputError(f"lambdify: the input {name!r} is listed twice")


def not_an_input(node: Any) -> InputError:
    """An input that is no variable."""
    return InputError(
        f"lambdify: {node.short()} is not a variable; inputs are made by sb.tensor (or are SymPy symbols)"
    )


def unknown_binding(operation: str, name: str, known: Sequence[str]) -> InputError:
    """A value given for something that is not in the graph."""
    return InputError(f"{operation}: {name!r} is no variable of this graph; it has {', '.join(known) or 'none'}")


def unsupported_target(target: object, known: Sequence[str]) -> InputError:
    """A code generation target that does not exist."""
    return InputError(f"lambdify: no target {target!r}; there is {', '.join(known)}")


def bad_document(reason: str) -> InputError:
    """Text that is no serialised graph."""
    return InputError(f"this is no symback graph: {reason}")


# -- usage --------------------------------------------------------------------------------------------


def not_a_node(value: object) -> UsageError:
    """A value that cannot become a node."""
    return UsageError(
        f"cannot use {type(value).__name__} in a graph: {str(value)[:80]!r}; use nodes, numbers, NumPy arrays or SymPy expressions"
    )


def no_truth_value(node: Any) -> UsageError:
    """A node used where Python wants True or False."""
    return UsageError(
        f"{node.short()} has no truth value while the graph is built; use sb.where, sb.logical_and and sb.logical_or "
        "instead of if, and, or"
    )


def no_number(node: Any, kind: str) -> UsageError:
    """A node used where Python wants a number."""
    return UsageError(f"{node.short()} is symbolic and has no {kind} value; evaluate it with sb.lambdify")


def no_array(node: Any) -> UsageError:
    """A node used where NumPy wants an array."""
    return UsageError(f"{node.short()} is symbolic and cannot become an array; evaluate it with sb.lambdify")


def no_iteration(node: Any) -> UsageError:
    """Iteration over an axis whose length is not known."""
    return UsageError(
        f"cannot iterate over {_show(node)}: its first axis has no fixed length; index it or use a reduction"
    )


def no_equality(node: Any, other: object) -> UsageError:
    """``node == value``, which is ambiguous."""
    return UsageError(
        f"== compares nodes by identity; {node.short()} == {type(other).__name__} is ambiguous: "
        "use sb.equal (or sb.not_equal) for an elementwise comparison"
    )


def not_supported_numpy(name: str) -> UsageError:
    """A NumPy function that has no symback counterpart."""
    return UsageError(
        f"numpy.{name} is not supported on symback nodes; see the operations listed in docs/operations.md"
    )


def use_instead(what: str, instead: str) -> UsageError:
    """A SymPy function that must not be used on nodes."""
    return UsageError(f"{what} does not work on symback nodes (it has no sharing); use {instead}")


def not_convertible(operation: str, value: object, hint: str) -> UsageError:
    """An expression that cannot be converted."""
    return UsageError(f"{operation}: cannot convert {type(value).__name__} ({str(value)[:80]}); {hint}")


def bad_declaration(name: str, reason: str) -> UsageError:
    """A primitive that is declared wrongly."""
    return UsageError(f"primitive {name!r}: {reason}")


def missing_extra(feature: str, extra: str) -> MissingExtraError:
    """A feature whose optional dependency is not installed."""
    return MissingExtraError(f"{feature} needs an optional dependency: pip install 'symback[{extra}]'")


# -- the oracle and the gradient checker ------------------------------------------------------------


class GradientMismatchError(SymbackError, AssertionError):
    """A gradient that differs from finite differences."""


class CheckFailedError(SymbackError, AssertionError):
    """A primitive that fails one of the generic tests."""


class InconsistentGraphError(SymbackError, AssertionError):
    """A node whose value is not what the node declares: a fault of a shape rule, of a pass, or of symback."""


def inconsistent_graph(node: Any, shape: object, dtype: object, found_shape: object, found: object) -> SymbackError:
    """A value that has not the declared shape or dtype."""
    return InconsistentGraphError(
        f"evaluate: {node.short()} declares {shape} of {dtype}, but its value is {found_shape} of {found}; "
        "correct the signature or the value of the primitive"
    )


def no_evaluation(kind: str) -> SymbackError:
    """A kind of node that the oracle does not know."""
    return InputError(f"evaluate: no rule for nodes of class {kind}; add one to symback/check/evaluate.py")


def no_high_precision(primitive: str) -> SymbackError:
    """A primitive that was declared without its mpmath function."""
    return InputError(
        f"{primitive} has no value in high precision: declare mpmath=..., "
        "a name in mpmath or a function of (mp, scalars)"
    )


def binding_dtype(operation: str, node: Any, found: object) -> DtypeError:
    """A value that cannot be converted to the dtype of its variable without loss."""
    return DtypeError(f"{operation}: {node.short()} has dtype {node.dtype}, its value {found}; convert the value first")


def binding_shape(operation: str, node: Any, found: Iterable[object]) -> ShapeError:
    """A value whose shape is not that of its variable."""
    return ShapeError(f"{operation}: {_show(node)} got a value of shape {show_shape(found)}")


def binding_size(
    operation: str, node: Any, found: Iterable[object], size: object, known: int, source: Any
) -> ShapeError:
    """Two axes of one symbolic size and of different length."""
    return ShapeError(
        f"{operation}: {_show(node)} got a value of shape {show_shape(found)}, "
        f"but {size} is {known} in {source.short()}"
    )


def gradient_mismatch(name: str, entry: str, given: float, differences: float, tolerance: float) -> SymbackError:
    """A gradient that differs from finite differences by more than their error."""
    return GradientMismatchError(
        f"check_grad: the gradient by {name} is wrong at {entry}: it is {given:.9g}, finite differences "
        f"give {differences:.9g} (tolerance {tolerance:.1e}); look at the derivative rules between it and the loss"
    )


def no_finite_point(loss: Any) -> SymbackError:
    """A loss that is not finite at the points that were drawn."""
    return InputError(
        f"check_grad: {loss.short()} is not finite at any of the random points tried; give a point by at=..."
    )


def check_arguments(reason: str) -> SymbackError:
    """Arguments of check_grad that do not go together."""
    return UsageError(f"check_grad: {reason}; use check_grad(loss, wrt, at=...) or check_grad(fun=f, grad=g, at=array)")


def gradient_shape(name: str, wanted: Iterable[object], found: Iterable[object]) -> ShapeError:
    """A gradient that does not have the shape of its variable."""
    return ShapeError(f"check_grad: the gradient by {name} has shape {show_shape(found)}, wanted {show_shape(wanted)}")


def check_failed(primitive: str, case: str, check: str, detail: str) -> SymbackError:
    """A primitive that fails a generic test."""
    return CheckFailedError(f"primitive {primitive!r} fails the check {check!r} on {case}: {detail}")


def unknown_primitive(name: object) -> SymbackError:
    """A name that is not in the registry."""
    return InputError(f"check_primitive: no primitive {name!r} is declared")


# -- nodes and operations -----------------------------------------------------------------------------


def not_supported_option(name: str, options: Sequence[str]) -> UsageError:
    """Arguments of a NumPy function that its symback counterpart does not have."""
    return UsageError(
        f"numpy.{name}: on symback nodes not all of NumPy's arguments are supported ({', '.join(options)}); "
        "leave them out"
    )


def integer_out_of_range(operation: str, value: object, dtype: object) -> DtypeError:
    """A Python integer that the dtype it is combined with cannot hold (NumPy refuses it too)."""
    return DtypeError(
        f"{operation}: the integer {str(value)[:40]} does not fit {dtype}; use a float, or convert with .astype(...)"
    )


def bad_node(kind: str, reason: str) -> UsageError:
    """Arguments of which no node can be built."""
    return UsageError(f"{kind}: {reason}")


# -- LaTeX ------------------------------------------------------------------------------------------


def bad_look(look: object, reason: str) -> InvalidNameError:
    """A look in print that is no harmless, well-formed LaTeX."""
    return InvalidNameError(
        f"latex={look!r} cannot be printed: {reason}; use letters, digits, indices in braces, accents, fonts "
        r"and Greek letters, such as \hat{\theta}_{1}"
    )


# -- SymPy expressions ----------------------------------------------------------------------------------


def symbol_clash(name: str) -> InvalidNameError:
    """Two SymPy symbols that differ in their assumptions only."""
    return InvalidNameError(
        f"two different SymPy symbols are called {name!r} (their assumptions differ, or one is a Dummy); "
        "rename one, or make both with the same assumptions"
    )


# -- code generation ------------------------------------------------------------------------------------


def bad_output_key(key: object) -> UsageError:
    """A dict of outputs with keys that cannot be written into source."""
    return UsageError(f"lambdify: the key {key!r} of an outputs dict must be a string, an integer, a bool or None")


def bad_path(path: object, reason: str) -> InputError:
    """A file that cannot be written."""
    return InputError(f"cannot save to {str(path)!r}: {reason}")


def no_counterpart(kind: str, text: str, hint: str) -> UsageError:
    """A part of a SymPy expression that has no counterpart in a graph; `text` is empty if it is long."""
    return UsageError(f"from_sympy: cannot convert {kind}{f' ({text[:80]})' if text else ''}; {hint}")
