"""The entry points that know the whole pipeline: from a graph to code, and what it costs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sympy

from symback import errors
from symback.codegen.bound import Functions, checked_functions
from symback.codegen.cost.estimate import estimate
from symback.codegen.cost.tally import Cost
from symback.codegen.function import CompiledFunction, compile_function
from symback.codegen.passes.contraction import size_hints
from symback.codegen.structure.compressed import compressed
from symback.codegen.updating.plan import NewValues, new_values
from symback.errors import training as messages
from symback.graph import toposort
from symback.interop.symbolic.conversion import Conversion
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.nodes.shapes import integer_of
from symback.rewrite.settle import settle
from symback.structure import Nested, refill

_OPTIONS = {"style": ("readable", "fast"), "tails": ("absolute", "relative"), "structure": ("dense", "compressed")}
"""The values that options of lambdify can have."""


def _checked_options(functions: Any, **given: str) -> Functions:
    """Check options; return what undefined functions are."""
    for option, value in given.items():
        if value not in _OPTIONS[option]:
            raise errors.bad_option("lambdify", option, value, _OPTIONS[option])
    return checked_functions(functions)


def _listed(inputs: Any) -> list[Any]:
    """Return the inputs as a list; one input alone is none, even if it can be iterated over as a matrix can."""
    one = isinstance(inputs, (str, Node, sympy.Expr)) and not isinstance(inputs, sympy.MatrixBase)
    if one or not isinstance(inputs, (Iterable, sympy.MatrixBase)):
        raise errors.not_inputs(inputs)
    return list(inputs)


def _checked_input(node: Node) -> Variable:
    if not isinstance(node, Variable):
        raise errors.not_an_input(node)
    return node


def _new_values(given: Conversion, updates: Any, inputs: Sequence[Variable]) -> NewValues:
    if not isinstance(updates, Mapping):
        raise messages.not_updates(updates)
    return new_values(given.nodes(list(updates)), given.nodes(list(updates.values())), inputs)


def _limit(memory_limit: Any) -> int | None:
    limit = integer_of(memory_limit)
    if memory_limit is not None and (limit is None or limit < 1):
        raise errors.bad_memory_limit("lambdify", memory_limit)
    return limit


def lambdify(
    inputs: Sequence[Any], outputs: Nested, *, target: str = "numpy", style: str = "readable", tails: str = "absolute",
    structure: str = "dense", name: str | None = None, check: bool = True, sizes: Mapping[str, int] | None = None,
    cost: bool = False, reuse_buffers: bool = True, updates: Mapping[Any, Any] | None = None,
    memory_limit: int | None = None, functions: Mapping[str, Any] | None = None,
) -> CompiledFunction:  # fmt: skip
    """Emit a NumPy function of `inputs` that returns `outputs`, and load it.

    Args:
        inputs: The variables, in the order of the arguments. Unused ones are accepted and checked.
        outputs: A node, or a list, tuple or dict of nodes, nested at will: the result has that structure.
        target: ``"numpy"``.
        style: ``"readable"``, or ``"fast"``: in memory that is there already, long chains block by block.
        tails: ``"absolute"``: textbook derivatives of sigmoid and tanh; ``"relative"``: with all digits far out.
        structure: ``"dense"``: arrays; ``"compressed"``: of two axes or more a `StructuredTensor`, which holds factors.
        name: The name of the function, by default ``"f"`` (``"function"`` if an input is called f).
        check: Check dtype, shape and sizes of the arguments at every call.
        sizes: How large symbolic sizes will be, ``{"n": 1000}``: orders products. Any sizes remain right.
        cost: State operations and memory traffic, as `sb.cost` counts them, in the docstring.
        reuse_buffers: Fast style: keep memory from call to call, in each thread its own; results are new arrays.
        updates: New values of inputs, written into the arrays given when all else is computed: see docs/training.md.
        memory_limit: How many bytes one result may take, None for any: checked before anything is computed.
        functions: What undefined functions are, ``{"f": (f, df, d2f)}``: see docs/sympy.md.

    Raises:
        InputError: If an output depends on what no input gives, an option or a size is unknown, a function is missing.
        InvalidNameError: If two variables or two `let` expressions have one name.
        ShapeError, DtypeError: If a new value has not the shape and the dtype of what it replaces.
        MemoryLimitError: If a result takes more than `memory_limit` at any sizes; else the call raises it.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x", ("n",))
        >>> float(sb.lambdify([x], sb.sum(x**2))([1.0, 2.0]))
        5.0
    """
    given = _checked_options(functions, style=style, tails=tails, structure=structure)
    options = {"target": target, "style": style, "name": name, "check": check, "cost": cost,
               "reuse_buffers": reuse_buffers, "memory_limit": _limit(memory_limit), "functions": given}  # fmt: skip
    return _compiled(inputs, outputs, {} if updates is None else updates, tails, structure, sizes, options)


def _compiled(
    inputs: Sequence[Any], outputs: Nested, updates: Any, tails: str, structure: str, sizes: Mapping[str, int] | None,
    options: dict[str, Any],
) -> CompiledFunction:  # fmt: skip
    """Settle what is emitted, and emit it."""
    given = Conversion(outputs)
    variables = [_checked_input(node) for node in given.nodes(given.arguments(_listed(inputs)))]
    written = given.nodes(outputs)
    new = _new_values(given, updates, variables)
    nodes, explanation = settle([*written, *new.nodes], tails)
    hints = size_hints("lambdify", sizes, [*variables, *nodes])
    results = refill(outputs, nodes)
    results = compressed(results, hints) if structure == "compressed" else results
    new = new.refilled(nodes[len(written) :])
    return compile_function(variables, results, sizes=hints, written=refill(outputs, written), updates=new,
                            explanation=explanation, **options)  # fmt: skip


def cost(outputs: Nested, *, sizes: Mapping[str, int] | None = None) -> Cost:
    """Count the operations and the memory traffic of the code that `lambdify` emits for `outputs`.

    Args:
        outputs: A node, or a list, tuple or dict of nodes, nested at will.
        sizes: How large the symbolic sizes are expected to be, as for `lambdify`: the order of products follows
            them. The formulas stay symbolic; evaluate them with `at`.

    Returns:
        Formulas in the symbolic sizes, for the whole and for each statement; it prints as a table.

    Raises:
        InputError: If `sizes` names a size that no shape has, or gives no integer from 0.

    Example:
        >>> import symback as sb
        >>> A, B, x = sb.tensor("A", ("m", "n")), sb.tensor("B", ("n", "k")), sb.tensor("x", ("k",))
        >>> sb.cost((A @ B) @ x).operations
        2*k*n + 2*m*n
        >>> print(sb.cost(sb.let("y", sb.tanh(A @ B @ x))))
        statement                 operations         functions  bytes
        y = np.tanh(A @ (B @ x))  2*k*n + 2*m*n + m  m          8*k*n + 8*k + 8*m*n + 24*m + 16*n
        total                     2*k*n + 2*m*n + m  m          8*k*n + 8*k + 8*m*n + 24*m + 16*n
        functions: tanh: m
    """
    nodes, _ = settle(Conversion(outputs).nodes(outputs))
    variables = [node for node in toposort(nodes) if isinstance(node, Variable)]
    return estimate(nodes, size_hints("cost", sizes, [*variables, *nodes]))
