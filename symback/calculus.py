"""The entry points that differentiate."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from symback import errors
from symback.codegen.passes.contraction import size_hints
from symback.derive import curvature, higher, reverse, stable
from symback.derive.reverse import check_wrt
from symback.graph import toposort
from symback.interop.symbolic.conversion import Conversion
from symback.interop.symbolic.explicit import as_lists, check_arrays, put_together
from symback.interop.vectors import one_scalar, outputs_of, vectors_along, vectors_for
from symback.sparse import sparse_hessian, sparse_jacobian
from symback.structure import Nested, refill

Expected: TypeAlias = Mapping[str, int] | None
"""How large symbolic sizes are expected to be, by name."""

ORDERS = ("auto", "reverse", "forward", "mixed")


def _mode(given: Conversion) -> Any:
    """Return how to differentiate: what is meant, or, of plain SymPy expressions, what is written, as SymPy has it."""
    return reverse if given.plain else stable


def _higher(given: Conversion) -> Any:
    """Return the same for Jacobians and Hessians."""
    return reverse if given.plain else higher


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
    given = Conversion(loss)
    node = one_scalar("grad", loss, given)
    return given.by_variables(wrt, _mode(given).grad(node, given.variables(wrt), disconnected=disconnected))


def vjp(outputs: Nested, wrt: Nested, cotangents: Nested, *, disconnected: str = "error") -> Nested:
    """Return the vector-Jacobian product: cotangents pulled back to `wrt`.

    Args:
        outputs: One node, or a list, tuple or dict of nodes, nested at will.
        wrt: Variables or intermediate nodes, one or a structure of them.
        cotangents: For each output a vector of its shape, in the structure of `outputs`; dicts are matched by key.
        disconnected: ``"error"`` or ``"zero"``.

    Returns:
        The structure of `wrt`.

    Raises:
        InputError: If the cotangents have another structure than the outputs; the message says where.
        ShapeError: If a cotangent has another shape than its output.
        DtypeError: If a cotangent does not go into the dtype of its output without loss.
        DerivativeError: If no output depends on a variable.

    Example:
        >>> import symback as sb
        >>> A, x, u = sb.tensor("A", ("m", "n")), sb.tensor("x", ("n",)), sb.tensor("u", ("m",))
        >>> sb.vjp(A @ x, x, u)
        A.T @ u
    """
    given = Conversion(outputs)
    nodes = outputs_of("vjp", outputs, given)
    seeds = vectors_for("vjp", "outputs", given, outputs, cotangents)
    found = _mode(given).vjp(nodes, given.variables(wrt), seeds, disconnected=disconnected)
    return given.by_variables(wrt, found)


def jvp(outputs: Nested, wrt: Nested, tangents: Nested, *, disconnected: str = "error") -> Nested:
    """Return the Jacobian-vector product: the derivative of the outputs along `tangents`.

    Args:
        outputs: One node, or a list, tuple or dict of nodes, nested at will.
        wrt: Variables or intermediate nodes, one or a structure of them.
        tangents: For each of `wrt` a vector of its shape, in the structure of `wrt`; dicts are matched by key.
        disconnected: ``"error"`` or ``"zero"``.

    Returns:
        The structure of `outputs`.

    Raises:
        InputError: If the tangents have another structure than `wrt`; the message says where.
        ShapeError: If a tangent has another shape than its variable.
        DtypeError: If a tangent does not go into the dtype of its variable without loss.
        DerivativeError: If no output depends on a variable.

    Example:
        >>> import symback as sb
        >>> A, x, v = sb.tensor("A", ("m", "n")), sb.tensor("x", ("n",)), sb.tensor("v", ("n",))
        >>> sb.jvp(A @ x, x, v)
        A @ v
    """
    return _along("jvp", outputs, wrt, tangents, disconnected)


def _along(operation: str, outputs: Nested, wrt: Nested, tangents: Nested, disconnected: str) -> Nested:
    given = Conversion(outputs)
    nodes, variables = outputs_of(operation, outputs, given), given.variables(wrt)
    check_wrt(operation, nodes, variables, disconnected)
    vectors = vectors_along(operation, given, wrt, tangents)
    return given.results(outputs, curvature.jvp(nodes, variables, vectors, written=given.plain))


def directional_derivative(f: Nested, wrt: Nested, direction: Nested, *, disconnected: str = "error") -> Nested:
    """Return the derivative of `f` along a direction v: d f(x + t v) / dt at t = 0.

    The direction is taken as it is: twice as long a vector gives twice the derivative. For the slope along a unit
    vector divide by the norm. It is `jvp` under the name that analysis has for it, by one forward sweep; of a
    scalar, it equals the inner product of gradient and v. Applied twice with a v that does not depend on `wrt`, it is
    the curvature v' H v.

    Args:
        f: A node of any shape, or a structure of nodes.
        wrt: Variables or intermediate nodes, one or a structure of them.
        direction: For each of `wrt` a vector of its shape, in the structure of `wrt`.
        disconnected: ``"error"`` or ``"zero"``.

    Returns:
        The structure of `f`.

    Raises:
        InputError: If the direction has another structure than `wrt`.
        ShapeError: If it has another shape.
        DtypeError: If it does not go into the dtype of its variable without loss.
        DerivativeError: If `f` does not depend on a variable.

    Example:
        >>> import symback as sb
        >>> x, v = sb.tensor("x", ("n",)), sb.tensor("v", ("n",))
        >>> slope = sb.directional_derivative(sb.sum(x**2) / 2, x, v)
        >>> print(sb.lambdify([x, v], slope, check=False).source.splitlines()[-1].strip())
        return v @ x
    """
    return _along("directional_derivative", f, wrt, direction, disconnected)


def jacobian(
    output: Nested,
    wrt: Nested,
    *,
    disconnected: str = "error",
    order: str = "auto",
    sparse: bool = False,
    sizes: Expected = None,
) -> Nested:
    """Return the derivative of a node of any shape, of shape output.shape + wrt.shape.

    Args:
        output: A node of a float dtype, or a list, tuple or dict of such nodes.
        wrt: Variables or intermediate nodes, one or a structure of them.
        disconnected: ``"error"`` or ``"zero"``; judged for each output by itself.
        order: In which order the factors of the chain rule are multiplied: ``"reverse"`` from the output,
            ``"forward"`` from the variable, ``"mixed"`` from the narrowest node between them to both ends,
            ``"auto"`` what has the fewest entries. All give the same derivative. With `sparse` it has no effect.
        sparse: Return a sparse matrix of shape (output.size, wrt.size) for each variable, an output for `lambdify`,
            whose function gives a `scipy.sparse.csr_array`; both are unravelled in row-major order.
        sizes: How large symbolic sizes are expected to be, as in `lambdify`; with `sparse` how large they are.

    Returns:
        The structure of `output`, and at each leaf the structure of `wrt`.

    Raises:
        DerivativeError: If an output does not depend on a variable.
        InputError: If the order is not known, a name in `sizes` is no size, or one is missing that `sparse` needs.
        UsageError: If an output is a sparse matrix or another object made of several arrays.

    Example:
        >>> import symback as sb
        >>> A, x = sb.tensor("A", ("m", "n")), sb.tensor("x", ("n",))
        >>> sb.jacobian(A @ x, x) is A
        True
        >>> sb.jacobian({"linear": A @ x, "total": sb.sum(x)}, [x])["linear"]
        [A]
    """
    given = Conversion(output)
    return given.jacobians(output, wrt, _jacobians(given, output, wrt, disconnected, order, sparse, sizes))


def _jacobians(
    given: Conversion, output: Nested, wrt: Nested, disconnected: str, order: str, sparse: bool, sizes: Expected
) -> list[list[list[Any]]]:
    """Return the derivatives of each output, of each of its entries if it is an explicit matrix, by each variable."""
    if order not in ORDERS:
        raise errors.bad_option("jacobian", "order", order, ORDERS)
    variables = given.variables(wrt)
    if sparse:
        check_arrays("jacobian", output, wrt)
        nodes = given.arrays("jacobian", output)
        return [[sparse_jacobian(node, variables, disconnected=disconnected, sizes=sizes)] for node in nodes]
    leaves = given.entries("jacobian", output)
    hints = size_hints("jacobian", sizes, toposort([*(node for leaf in leaves for node in leaf), *variables]))
    options = {} if given.plain else {"order": order, "hints": hints}
    rows = []
    for leaf in leaves:
        if len(leaf) != 1:
            check_wrt("jacobian", leaf, variables, disconnected if leaf else "zero")
        zero = "zero" if len(leaf) != 1 else disconnected
        found = [_higher(given).jacobian(node, variables, disconnected=zero, **options) for node in leaf]
        rows.append([given.exprs(row) for row in found])
    return rows


def jacobian_order(output: Any, wrt: Nested, *, sizes: Expected = None) -> Nested:
    """Say in which order `jacobian` multiplies the factors of the chain rule, as ``order="auto"`` chooses it.

    Args:
        output: A node of a float dtype.
        wrt: Variables or intermediate nodes, one or a structure of them.
        sizes: How large symbolic sizes are expected to be, as in `lambdify`; others count 64.

    Returns:
        The structure of `wrt`; each an `Order` with a `name` (``"reverse"``, ``"forward"``, ``"mixed"``) and the node
        `start` where it begins: the output, the variable, or the narrowest node that all paths between them go through.

    Raises:
        DerivativeError: If the output does not depend on a variable.
        InputError: If a name in `sizes` is no size, or `output` is a structure of nodes.

    Example:
        >>> import symback as sb
        >>> W, x, y = sb.tensor("W", (50, 3)), sb.tensor("x", (3,)), sb.tensor("y", (50,))
        >>> print(sb.jacobian_order(sb.tanh(W @ x), x))
        forward, from x (3,)
        >>> print(sb.jacobian_order(sb.outer(y, sb.sum(W @ x) * y), W))
        mixed, from sum('i->', W @ x) ()
    """
    given = Conversion(output)
    node, variables = given.one_node("jacobian_order", output), given.variables(wrt)
    check_wrt("jacobian_order", [node], variables, "error")
    hints = size_hints("jacobian_order", sizes, toposort([node, *variables]))
    return put_together(as_lists(wrt), [higher.order_in(node, variable, hints=hints) for variable in variables])


def hessian(
    loss: Any, wrt: Nested, *, disconnected: str = "error", sparse: bool = False, sizes: Expected = None
) -> Nested:
    """Return the second derivatives of a scalar.

    Args:
        loss: A node of shape ().
        wrt: One variable, or a list (or other structure) of them.
        disconnected: ``"error"`` or ``"zero"``, for a variable the loss does not depend on at all.
        sparse: Return each block as a sparse matrix of shape (rows.size, columns.size); see `jacobian`.
        sizes: How large symbolic sizes are expected to be, as in `lambdify`; with `sparse` how large they are.

    Returns:
        For one variable a node of shape wrt.shape + wrt.shape; for a list a list of lists of blocks, for a dict a dict
        of dicts. Blocks of variables that do not meet are zero.

    Raises:
        DerivativeError: If the loss is not scalar or does not depend on a variable.
        InputError: If a name in `sizes` is no size.

    Example:
        >>> import symback as sb
        >>> A, x = sb.tensor("A", ("n", "n")), sb.tensor("x", ("n",))
        >>> sb.hessian(x @ A @ x, x).shape
        (n, n)
    """
    given = Conversion(loss)
    node = one_scalar("hessian", loss, given)
    variables = given.variables(wrt)
    check_wrt("hessian", [node], variables, disconnected)
    if sparse:
        check_arrays("hessian", wrt)
        blocks = sparse_hessian(node, variables, disconnected=disconnected, sizes=sizes)
        return refill(wrt, [refill(wrt, row) for row in blocks])
    hints = size_hints("hessian", sizes, toposort([node, *variables]))
    options = {} if given.plain else {"hints": hints}
    rows = _higher(given).hessian(node, variables, disconnected=disconnected, **options)
    return given.hessians(wrt, rows)
