"""The public entry points that know the whole pipeline."""

from collections.abc import Sequence
from typing import Any

import sympy

from symback import errors
from symback.codegen.function import CompiledFunction, compile_function
from symback.derive import forward, reverse
from symback.interop.sympy import SympyBridge
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.structure import Nested, leaves_of, refill


class _Conversion:
    """Converts what a call was given; SymPy outputs give SymPy results, with the symbols one began with."""

    def __init__(self, outputs: Nested) -> None:
        self._bridge = SympyBridge()
        self._plain = any(isinstance(leaf, sympy.Basic) and not isinstance(leaf, Node) for leaf in leaves_of(outputs))

    def nodes(self, nested: Nested) -> list[Node]:
        """Return the leaves of a structure as nodes."""
        return [self._bridge.to_node(leaf) for leaf in leaves_of(nested)]

    def results(self, structure: Nested, nodes: Sequence[Node]) -> Nested:
        """Return results in a structure, as SymPy expressions if that is what went in."""
        return refill(structure, [self._expr(node) for node in nodes] if self._plain else nodes)

    def _expr(self, node: Node) -> sympy.Basic:
        if node.shape:
            raise errors.nodes_in_sympy(node)
        return self._bridge.to_expr(node)


def _one(operation: str, node: Any) -> Any:
    """Return what must be one node, and no structure of nodes."""
    if isinstance(node, (list, tuple, dict)):
        raise errors.not_one_node(operation, node)
    return node


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
    given = _Conversion(_one("grad", loss))
    (node,) = given.nodes(loss)
    return given.results(wrt, reverse.grad(node, given.nodes(wrt), disconnected=disconnected))


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
    given = _Conversion(outputs)
    seeds = given.nodes(outputs), given.nodes(wrt), given.nodes(cotangents)
    return given.results(wrt, reverse.vjp(*seeds, disconnected=disconnected))


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
    given = _Conversion(outputs)
    seeds = given.nodes(outputs), given.nodes(wrt), given.nodes(tangents)
    return given.results(outputs, forward.jvp(*seeds, disconnected=disconnected))


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
    given = _Conversion(_one("jacobian", output))
    (node,) = given.nodes(output)
    return given.results(wrt, reverse.jacobian(node, given.nodes(wrt), disconnected=disconnected))


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
    given = _Conversion(_one("hessian", loss))
    (node,) = given.nodes(loss)
    rows = reverse.hessian(node, given.nodes(wrt), disconnected=disconnected)
    return refill(wrt, [given.results(wrt, row) for row in rows])


_OPTIONS = {"style": ("readable",), "tails": ("absolute",), "structure": ("dense",)}
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
    inputs: Sequence[Any],
    outputs: Nested,
    *,
    target: str = "numpy",
    style: str = "readable",
    tails: str = "absolute",
    structure: str = "dense",
    name: str | None = None,
    check: bool = True,
) -> CompiledFunction:
    """Emit a NumPy function of `inputs` that returns `outputs`, and load it.

    Args:
        inputs: The variables, in the order of the arguments. Unused ones are accepted and checked.
        outputs: A node, or a list, tuple or dict of nodes, nested at will: the result has that structure.
        target: ``"numpy"``.
        style: ``"readable"``.
        tails: ``"absolute"``: textbook derivatives of sigmoid and tanh, on the forward value.
        structure: ``"dense"``: results are arrays.
        name: The name of the function in the source, by default ``"f"`` (``"function"`` if an input is called f).
        check: Check dtype, shape and sizes of the arguments at every call.

    Returns:
        A function that prints as its source, with `source` and `save(path)`.

    Raises:
        InputError: If an output depends on what no input gives, or an option is unknown.
        InvalidNameError: If two variables or two `let` expressions have one name.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x", ("n",))
        >>> float(sb.lambdify([x], sb.sum(x**2))([1.0, 2.0]))
        5.0
    """
    _check_options(style=style, tails=tails, structure=structure)
    given = _Conversion(outputs)
    variables = [_checked_input(node) for node in given.nodes(list(inputs))]
    return compile_function(variables, refill(outputs, given.nodes(outputs)), target=target, name=name, check=check)
