"""The public entry points that know the whole pipeline."""

from collections.abc import Mapping, Sequence
from typing import Any

from symback import errors
from symback.codegen.contraction import size_hints
from symback.codegen.estimate import estimate
from symback.codegen.function import CompiledFunction, compile_function
from symback.codegen.tally import Cost
from symback.derive import forward, reverse, stable
from symback.derive.reverse import check_wrt
from symback.graph import toposort
from symback.interop.sympy import Conversion
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.rewrite.settle import settle
from symback.rewrite.stability import stabilise
from symback.structure import Nested, refill


def _one(operation: str, node: Any) -> Any:
    """Return what must be one node, and no structure of nodes."""
    if isinstance(node, (list, tuple, dict)):
        raise errors.not_one_node(operation, node)
    return node


def _mode(given: Conversion) -> Any:
    """Return how to differentiate: what is meant, or, of plain SymPy expressions, what is written, as SymPy has it."""
    return reverse if given.plain else stable


def grad(loss: Any, wrt: Nested, *, disconnected: str = "error") -> Nested:
    """Return the gradient of a scalar, as nodes of the same graph, by one reverse sweep.

    Args:
        loss: A node of shape () and a float dtype, or a scalar SymPy expression.
        wrt: Variables, named or unnamed intermediate nodes, SymPy symbols: one, or a list, tuple or dict of them.
        disconnected: ``"error"``, or ``"zero"`` for zeros where the loss does not depend on a variable.

    Returns:
        The structure of `wrt` with gradients, each of the shape and dtype of its variable; plain SymPy
        expressions if the loss is one.

    Raises:
        DerivativeError: If the loss is not scalar, does not depend on a variable, or meets a primitive
            without derivative.
        DtypeError: If a variable is not real-valued.

    Example:
        >>> import symback as sb
        >>> x, y = sb.tensor("x", ("n",)), sb.tensor("y", ("n",))
        >>> sb.grad(sb.sum(x * y), x) is y
        True
        >>> import sympy
        >>> a, b, c = sympy.symbols("a b c")
        >>> sb.grad((a + b) * c, [a, b, c])
        [c, c, a + b]
    """
    given = Conversion(_one("grad", loss))
    (node,) = given.nodes(loss)
    return given.results(wrt, _mode(given).grad(node, given.nodes(wrt), disconnected=disconnected))


def vjp(outputs: Nested, wrt: Nested, cotangents: Nested, *, disconnected: str = "error") -> Nested:
    """Return the vector-Jacobian product: cotangents pulled back to `wrt`.

    Args:
        outputs: One node or several.
        wrt: Variables or intermediate nodes.
        cotangents: For each output a vector of its shape.
        disconnected: ``"error"`` or ``"zero"``.

    Returns:
        The structure of `wrt`.

    Raises:
        ShapeError: If a cotangent has another shape than its output.
        DerivativeError: If no output depends on a variable.

    Example:
        >>> import symback as sb
        >>> A, x, u = sb.tensor("A", ("m", "n")), sb.tensor("x", ("n",)), sb.tensor("u", ("m",))
        >>> sb.vjp(A @ x, x, u)
        A.T @ u
    """
    given = Conversion(outputs)
    seeds = given.nodes(outputs), given.nodes(wrt), given.nodes(cotangents)
    return given.results(wrt, _mode(given).vjp(*seeds, disconnected=disconnected))


def jvp(outputs: Nested, wrt: Nested, tangents: Nested, *, disconnected: str = "error") -> Nested:
    """Return the Jacobian-vector product: the derivative of the outputs along `tangents`.

    Args:
        outputs: One node or several.
        wrt: Variables or intermediate nodes.
        tangents: For each of `wrt` a vector of its shape.
        disconnected: ``"error"`` or ``"zero"``.

    Returns:
        The structure of `outputs`.

    Raises:
        ShapeError: If a tangent has another shape than its variable.
        DerivativeError: If no output depends on a variable.

    Example:
        >>> import symback as sb
        >>> A, x, v = sb.tensor("A", ("m", "n")), sb.tensor("x", ("n",)), sb.tensor("v", ("n",))
        >>> sb.jvp(A @ x, x, v)
        A @ v
    """
    given = Conversion(outputs)
    nodes, variables, vectors = given.nodes(outputs), given.nodes(wrt), given.nodes(tangents)
    check_wrt("jvp", nodes, variables, disconnected)
    pushed = forward.jvp(nodes if given.plain else stabilise(nodes, variables), variables, vectors, disconnected="zero")
    return given.results(outputs, pushed)


def jacobian(output: Any, wrt: Nested, *, disconnected: str = "error") -> Nested:
    """Return the derivative of a node of any shape, of shape output.shape + wrt.shape.

    The reverse pass is seeded with an identity tensor, which is then eliminated from the result.

    Args:
        output: A node of a float dtype.
        wrt: Variables or intermediate nodes.
        disconnected: ``"error"`` or ``"zero"``.

    Returns:
        The structure of `wrt`.

    Raises:
        DerivativeError: If the output does not depend on a variable.

    Example:
        >>> import symback as sb
        >>> A, x = sb.tensor("A", ("m", "n")), sb.tensor("x", ("n",))
        >>> sb.jacobian(A @ x, x) is A
        True
    """
    given = Conversion(_one("jacobian", output))
    (node,) = given.nodes(output)
    return given.results(wrt, _mode(given).jacobian(node, given.nodes(wrt), disconnected=disconnected))


def hessian(loss: Any, wrt: Nested, *, disconnected: str = "error") -> Nested:
    """Return the second derivatives of a scalar.

    Args:
        loss: A node of shape ().
        wrt: One variable, or a list (or other structure) of them.
        disconnected: ``"error"`` or ``"zero"``, for a variable the loss does not depend on at all.

    Returns:
        For one variable a node of shape wrt.shape + wrt.shape; for a list a list of lists of blocks.
        Blocks of variables that do not meet are zero.

    Raises:
        DerivativeError: If the loss is not scalar or does not depend on a variable.

    Example:
        >>> import symback as sb
        >>> A, x = sb.tensor("A", ("n", "n")), sb.tensor("x", ("n",))
        >>> sb.hessian(x @ A @ x, x).shape
        (n, n)
    """
    given = Conversion(_one("hessian", loss))
    (node,) = given.nodes(loss)
    rows = _mode(given).hessian(node, given.nodes(wrt), disconnected=disconnected)
    return refill(wrt, [given.results(wrt, row) for row in rows])


_OPTIONS = {"style": ("readable", "fast"), "tails": ("absolute", "relative"), "structure": ("dense",)}
"""The values that options of lambdify can have."""


def _check_options(**given: str) -> None:
    for option, value in given.items():
        if value not in _OPTIONS[option]:
            raise errors.bad_option("lambdify", option, value, _OPTIONS[option])


def _checked_input(node: Node) -> Variable:
    if not isinstance(node, Variable):
        raise errors.not_an_input(node)
    return node


def lambdify(
    inputs: Sequence[Any], outputs: Nested, *, target: str = "numpy", style: str = "readable", tails: str = "absolute",
    structure: str = "dense", name: str | None = None, check: bool = True, sizes: Mapping[str, int] | None = None,
    cost: bool = False, reuse_buffers: bool = True,
) -> CompiledFunction:  # fmt: skip
    """Emit a NumPy function of `inputs` that returns `outputs`, and load it.

    Args:
        inputs: The variables, in the order of the arguments. Unused ones are accepted and checked.
        outputs: A node, or a list, tuple or dict of nodes, nested at will: the result has that structure.
        target: ``"numpy"``.
        style: ``"readable"``, or ``"fast"``: in memory that is there already, long chains block by block.
        tails: ``"absolute"``: textbook derivatives of sigmoid and tanh; ``"relative"``: with all digits far out.
        structure: ``"dense"``: results are arrays.
        name: The name of the function, by default ``"f"`` (``"function"`` if an input is called f).
        check: Check dtype, shape and sizes of the arguments at every call.
        sizes: How large symbolic sizes will be, ``{"n": 1000}``: orders products. Any sizes remain right.
        cost: State operations and memory traffic, as `sb.cost` counts them, in the docstring.
        reuse_buffers: Fast style: keep memory from call to call, in each thread its own; results are new arrays.

    Raises:
        InputError: If an output depends on what no input gives, or an option or a size is unknown.
        InvalidNameError: If two variables or two `let` expressions have one name.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x", ("n",))
        >>> float(sb.lambdify([x], sb.sum(x**2))([1.0, 2.0]))
        5.0
    """
    _check_options(style=style, tails=tails, structure=structure)
    given = Conversion(outputs)
    variables, written = [_checked_input(node) for node in given.nodes(list(inputs))], given.nodes(outputs)
    nodes, explanation = settle(written, tails)
    options: dict[str, Any] = {"style": style, "reuse_buffers": reuse_buffers, "cost": cost}
    hints = size_hints("lambdify", sizes, [*variables, *nodes])
    return compile_function(variables, refill(outputs, nodes), target=target, name=name, check=check, sizes=hints,
                            written=refill(outputs, written), explanation=explanation, **options)  # fmt: skip


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
