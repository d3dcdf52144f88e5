"""The entry points for products with curvature matrices, none of which is formed."""

from typing import Any

from symback.derive import curvature
from symback.derive.reverse import check_wrt
from symback.interop.symbolic.conversion import Conversion
from symback.interop.vectors import entries_of_outputs, one_scalar, vectors_along
from symback.structure import Nested


def hvp(loss: Any, wrt: Nested, vectors: Nested, *, disconnected: str = "error") -> Nested:
    """Return the Hessian-vector product H v, without the Hessian: forward mode over reverse mode.

    It is the derivative of the gradient along v, so it costs a small multiple of the loss (Pearlmutter, "Fast exact
    multiplication by the Hessian", Neural Computation 6, 1994). Emitted together with loss and gradient, it uses
    their forward pass again.

    Args:
        loss: A node of shape (), or a scalar SymPy expression.
        wrt: Variables or intermediate nodes, one or a list, tuple or dict of them, nested at will.
        vectors: For each of `wrt` a vector of its shape, in the structure of `wrt`; dicts are matched by key.
        disconnected: ``"error"`` or ``"zero"``, for a variable that the loss does not depend on.

    Returns:
        The structure of `wrt`, each of the shape and dtype of its variable; with several variables the sum over
        the row of blocks of the Hessian. Zeros where the loss is linear.

    Raises:
        DerivativeError: If the loss is not scalar or does not depend on a variable.
        InputError: If the vectors have another structure than `wrt`; the message says where.
        ShapeError: If a vector has another shape than its variable.
        DtypeError: If a vector does not go into the dtype of its variable without loss.

    Example:
        >>> import symback as sb
        >>> A, x, v = sb.tensor("A", ("n", "n")), sb.tensor("x", ("n",)), sb.tensor("v", ("n",))
        >>> print(sb.lambdify([A, x, v], sb.hvp(x @ A @ x, x, v), check=False).source.splitlines()[-1].strip())
        return v @ A + A @ v
    """
    return _product("hvp", curvature.hvp, loss, wrt, vectors, disconnected)


def vhp(loss: Any, wrt: Nested, vectors: Nested, *, disconnected: str = "error") -> Nested:
    """Return the vector-Hessian product v' H, without the Hessian: reverse mode over reverse mode.

    The Hessian is symmetric, so these are the numbers of `hvp`, computed in another order: v is pulled back through
    the gradient. `hvp` is the usual choice. (They differ where one of `wrt` is computed from another.)

    Args:
        loss: A node of shape (), or a scalar SymPy expression.
        wrt: Variables or intermediate nodes, one or a structure of them.
        vectors: For each of `wrt` a vector of its shape, in the structure of `wrt`.
        disconnected: ``"error"`` or ``"zero"``.

    Returns:
        The structure of `wrt`.

    Raises:
        DerivativeError: If the loss is not scalar or does not depend on a variable.
        InputError: If the vectors have another structure than `wrt`; the message says where.
        ShapeError: If a vector has another shape than its variable.
        DtypeError: If a vector does not go into the dtype of its variable without loss.

    Example:
        >>> import symback as sb, sympy
        >>> x, y, u, v = sympy.symbols("x y u v")
        >>> sb.vhp(x**2 * y, [x, y], [u, v])
        [2*u*y + 2*v*x, 2*u*x]
    """
    return _product("vhp", curvature.vhp, loss, wrt, vectors, disconnected)


def _product(operation: str, derive: Any, loss: Any, wrt: Nested, vectors: Nested, disconnected: str) -> Nested:
    given = Conversion(loss)
    node = one_scalar(operation, loss, given)
    variables = given.variables(wrt)
    check_wrt(operation, [node], variables, disconnected)
    found = vectors_along(operation, given, wrt, vectors)
    return given.by_variables(wrt, derive(node, variables, found, disconnected="zero", written=given.plain))


def gauss_newton(
    output: Nested, wrt: Nested, vectors: Nested, *, loss: Any = None, disconnected: str = "error"
) -> Nested:
    """Return the product of the generalised Gauss-Newton matrix J' H J with v, without any of the matrices.

    J is the Jacobian of the output by `wrt`, H the Hessian of the loss by the output: three sweeps, forward to J v, a
    `hvp` of the loss, back through the output. Where the loss is convex in the output it is positive semidefinite;
    for softmax with cross-entropy it is the Fisher information. See Schraudolph, "Fast curvature matrix-vector
    products for second-order gradient descent", Neural Computation 14, 2002.

    Args:
        output: What the model predicts: a node of any shape, or a structure of nodes.
        wrt: Parameters: variables or intermediate nodes, one or a structure of them.
        vectors: For each of `wrt` a vector of its shape, in the structure of `wrt`.
        loss: A node of shape () computed from the very nodes in `output`, and from `wrt` by no other way. None stands
            for H = I: J' J v, as for ``sum(output**2) / 2``, the output being the residual of least squares.
        disconnected: ``"error"`` or ``"zero"``, for a variable that no output depends on.

    Returns:
        The structure of `wrt`, each of the shape and dtype of its variable.

    Raises:
        DerivativeError: If the loss is not scalar, does not depend on an output, or depends on a variable past the
            output, as with a penalty on weights; if no output depends on a variable.
        InputError, ShapeError, DtypeError: If the vectors do not fit `wrt`, as in `hvp`.

    Example:
        >>> import symback as sb
        >>> X, w, v = sb.tensor("X", ("N", "d")), sb.tensor("w", ("d",)), sb.tensor("v", ("d",))
        >>> print(sb.lambdify([X, w, v], sb.gauss_newton(X @ w, w, v), check=False).source.splitlines()[-1].strip())
        return X.T @ (X @ v)
    """
    given = Conversion([output, loss])
    end = None if loss is None else one_scalar("gauss_newton", loss, given)
    outputs, variables = entries_of_outputs("gauss_newton", output, given), given.variables(wrt)
    found = vectors_along("gauss_newton", given, wrt, vectors)
    options: Any = {"loss": end, "disconnected": disconnected, "written": given.plain}
    return given.by_variables(wrt, curvature.gauss_newton(outputs, variables, found, **options))


ggn = gauss_newton
"""The short name of `gauss_newton` in the literature."""
