"""Messages about sums, products and indices of SymPy, and about its derivatives that are not evaluated."""

from collections.abc import Sequence
from typing import Any

from symback.errors.kinds import DerivativeError, ShapeError, UsageError


def _short(part: Any) -> str:
    return str(part)[:80]


def two_ranks(part: Any) -> ShapeError:
    """An indexed name with another number of indices than elsewhere."""
    return ShapeError(
        f"from_sympy: {_short(part)} has {len(part.indices)} indices, and elsewhere {part.base.name} has another "
        "number; give each name one number of indices"
    )


def unknown_shape(base: Any, axes: Sequence[set[Any]] | None) -> UsageError:
    """An indexed name whose shape is not told, or told in two ways."""
    told = ""
    for axis, sizes in enumerate(axes or ()):
        if len(sizes) != 1:
            ways = " or ".join(sorted(map(str, sizes)))
            told = f" (axis {axis}: {f'{ways[:60]}?' if ways else 'no index runs over the whole axis from 0'})"
            break
    return UsageError(
        f"from_sympy: the shape of {base.name} is not known{told}; give it: "
        f"IndexedBase({str(base.name)!r}, shape=(...,))"
    )


def free_index(index: Any) -> UsageError:
    """An index that no sum binds."""
    return UsageError(
        f"from_sympy: no Sum or Product binds the index {_short(index)}; sum over it, put a number in its place, "
        "or build one value for each index as a graph (x[i] for all i is the node x)"
    )


def bad_index(part: Any, index: Any) -> UsageError:
    """An index that is no sum of multiples of bound indices."""
    return UsageError(
        f"from_sympy: the index {_short(index)} of {_short(part)} is not made of integers, sizes and indices that a "
        "Sum binds, added, multiplied by integers, or in one Mod by a size; write it so, or use symback's own x[ids]"
    )


def beyond_the_ends(part: Any, index: Any, low: Any, high: Any, size: Any) -> ShapeError:
    """Indices that may lie outside of an axis."""
    return ShapeError(
        f"from_sympy: in {_short(part)} the index {_short(index)} goes from {_short(low)} to {_short(high)}, and an "
        f"axis of size {_short(size)} has the indices 0 to {_short(size - 1)} (they count from 0, as in lambdify); "
        "shift the index, change the limits, or give another shape"
    )


def infinite(part: Any) -> UsageError:
    """A sum or a product without an end."""
    return UsageError(
        f"from_sympy: {type(part).__name__} ({_short(part)}) has infinitely many terms; put a number in for oo, or "
        "evaluate it with .doit() first"
    )


def bad_limits(part: Any, limit: Any) -> UsageError:
    """Limits that are no range of integers."""
    return UsageError(
        f"from_sympy: the limits {_short(limit)} of {type(part).__name__} ({_short(part)}) are no range of integers; "
        "write (index, first, last) with integers, sizes and indices of the sums around, added or times integers"
    )


def backward_limits(part: Any, limit: Any) -> UsageError:
    """Limits of which the last may be more than one below the first."""
    return UsageError(
        f"from_sympy: in {type(part).__name__} ({_short(part)}) the limits {_short(limit)} may run backward, where "
        "SymPy counts terms negatively; narrow the limits of the sums around, so that last is at least first - 1"
    )


def not_unrolled(part: Any) -> UsageError:
    """A sum over matrices that depend on the index, with limits that are no integers."""
    return UsageError(
        f"from_sympy: {type(part).__name__} ({_short(part)}) is over matrices that depend on the index; give limits "
        "that are integers, at most 1000 of them, or write its entries with indices (A[i, j])"
    )


def bad_order(part: Any) -> UsageError:
    """A derivative of an order that is no number."""
    return UsageError(
        f"from_sympy: {_short(part)} is a derivative of an order that is not known now; put an integer in for the order"
    )


def not_a_direction(part: Any, variable: Any) -> DerivativeError:
    """A derivative by something that is no real scalar."""
    return DerivativeError(
        f"from_sympy: cannot evaluate {type(part).__name__} ({_short(part)}) by {_short(variable)}, which is no real "
        "scalar; use sb.grad or sb.jacobian of the expression by it"
    )


def product_of_matrices(part: Any) -> UsageError:
    """A product over matrices."""
    return UsageError(
        f"from_sympy: cannot convert Product ({_short(part)}) of matrices; write MatMul(...) with its factors"
    )


def delta_range(part: Any) -> UsageError:
    """A Kronecker delta with a range of its own."""
    return UsageError(
        f"from_sympy: {_short(part)} has a range of its own; write it with its two indices, and the range in the "
        "limits of the sum"
    )


def point_of_variables(part: Any, point: Any) -> UsageError:
    """A point of substitution that holds what is substituted: SymPy puts one point after the other in."""
    return UsageError(
        f"from_sympy: the point {_short(point)} of Subs ({_short(part)}) holds a symbol that is substituted; name the "
        "substituted symbols otherwise"
    )


def array_as_variable(given: Any) -> DerivativeError:
    """An Array or a Tuple of symbols that is differentiated by."""
    return DerivativeError(
        f"cannot differentiate with respect to {type(given).__name__} ({_short(given)}); give a list or a Matrix of "
        "symbols, a MatrixSymbol or an ArraySymbol"
    )


def entry_as_variable(entry: Any) -> DerivativeError:
    """An entry of an array that is differentiated by."""
    array, indices = entry.args[0], ", ".join(map(_short, entry.args[1:]))
    return DerivativeError(
        f"cannot differentiate with respect to {_short(entry)}, one entry of {_short(array)}; differentiate with "
        f"respect to {_short(array)}, and take the entry [{indices}] of the result"
    )
