"""The entry points that differentiate."""

from typing import Any

from symback import errors
from symback.derive import forward, reverse, stable
from symback.derive.reverse import check_wrt
from symback.interop.sympy import Conversion
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
