"""Laplacian and divergence: traces of second and first derivatives, without the matrices where structure tells them."""

from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np
import sympy

from symback import errors
from symback.derive import higher, reverse
from symback.derive.reverse import check_wrt
from symback.derive.traces import trace
from symback.interop.symbolic.conversion import Conversion
from symback.interop.symbolic.explicit import is_explicit
from symback.interop.vectors import by_entry, one_scalar
from symback.nodes.add import add
from symback.nodes.node import Node
from symback.ops.elementwise.logic import astype
from symback.structure import Nested, leaves_as_in, leaves_of


def laplacian(f: Any, wrt: Nested, *, disconnected: str = "error") -> Any:
    """Return the Laplacian: the sum of the second derivatives by each coordinate, the trace of the Hessian.

    The Hessian is not formed where its structure tells the trace: of a sum it is the sum of the traces, of a
    diagonal the sum of that, of ``A.T @ B`` the sum of ``A * B``. Where a primitive mixes the entries (`solve`,
    `cholesky`, …) it is read off the diagonal of what that returns.

    Args:
        f: A node of shape ().
        wrt: Variables of any rank, one or a structure of them; for several the sum over all of their coordinates.
        disconnected: ``"error"`` or ``"zero"``.

    Returns:
        A node of shape () and the dtype of `f`.

    Raises:
        DerivativeError: If `f` is not scalar or does not depend on a variable.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x", ("n",))
        >>> print(sb.lambdify([x], sb.laplacian(sb.sum(x**4), x), check=False).source.splitlines()[-1].strip())
        return 12 * (x @ x)
    """
    given = Conversion(f)
    node = one_scalar("laplacian", f, given)
    check_wrt("laplacian", [node], given.variables(wrt), disconnected)
    derive = reverse if given.plain else higher
    traces = []
    for variable in given.variables(wrt):
        ((block,),) = derive.hessian(node, [variable], disconnected="zero")
        traces.append(trace(block, len(variable.shape)))
    return given.results(f, [_total("laplacian", traces, node)])


def divergence(field: Nested, wrt: Nested, *, disconnected: str = "error") -> Any:
    """Return the divergence of a vector field: the trace of its Jacobian, the sum of d field_i / d wrt_i.

    The Jacobian is not formed where its structure tells the trace; see `laplacian`.

    Args:
        field: A node of the shape of `wrt`, or a structure of nodes, each of the shape of its variable.
        wrt: The coordinates: one variable of any rank, or a structure of them.
        disconnected: ``"error"`` or ``"zero"``, for a component that does not depend on its coordinate.

    Returns:
        A node of shape () and the dtype of the field.

    Raises:
        InputError: If `field` is nested otherwise than `wrt`.
        ShapeError: If a component has another shape than its coordinate.
        DerivativeError: If a component does not depend on its coordinate.

    Example:
        >>> import symback as sb
        >>> A, x = sb.tensor("A", ("n", "n")), sb.tensor("x", ("n",))
        >>> print(sb.lambdify([A, x], sb.divergence(A @ x, x), check=False).source.splitlines()[-1].strip())
        return np.trace(A)
    """
    given = Conversion(field)
    groups = _paired(given, *_alike(field, wrt))
    derive = reverse if given.plain else higher
    traces = []
    for components, variables in groups:
        check_wrt("divergence", components, variables, disconnected)
        for node, variable in zip(components, variables, strict=True):
            (block,) = derive.jacobian(node, [variable], disconnected="zero")
            traces.append(trace(block, len(variable.shape)))
    return given.results(None, [_total("divergence", traces, *chain(*(components for components, _ in groups)))])


def _alike(field: Nested, wrt: Nested) -> tuple[Nested, Nested]:
    """Return a field and its coordinates; if one is a list and the other an explicit vector, this as a column."""
    if is_explicit(field) and isinstance(wrt, (list, tuple)) and 1 in field.shape:
        return field.reshape(len(field), 1), sympy.Matrix(len(wrt), 1, list(wrt)) if _are_symbols(wrt) else wrt
    if is_explicit(wrt) and isinstance(field, (list, tuple)) and 1 in wrt.shape:
        return list(field), list(wrt.flat())
    return field, wrt


def _are_symbols(wrt: Sequence[Any]) -> bool:
    return all(isinstance(leaf, sympy.Symbol) for leaf in wrt)


def _paired(given: Conversion, field: Nested, wrt: Nested) -> list[tuple[list[Node], list[Node]]]:
    """Return components and coordinates, those of an explicit matrix together."""
    groups = []
    told = leaves_as_in(wrt, field, operation="divergence", what="variables")
    for leaf, component in zip(leaves_of(wrt), told, strict=True):
        variables = given.variables(leaf)
        if is_explicit(leaf):
            groups.append((by_entry("divergence", given, leaf, component), variables))
            continue
        (node,) = given.nodes(component)
        if node.shape != variables[0].shape:
            raise errors.field_shape("divergence", node, variables[0])
        groups.append(([node], variables))
    return groups


def _total(operation: str, terms: Sequence[Node], *outputs: Node) -> Node:
    if not terms:
        raise errors.no_variables(operation)
    dtype = np.result_type(*[output.dtype for output in outputs])
    total = terms[0] if len(terms) == 1 else add(*terms)
    return astype(total, dtype)
