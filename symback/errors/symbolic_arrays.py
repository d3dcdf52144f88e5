"""Messages about array expressions of SymPy."""

from collections.abc import Sequence
from typing import Any

from symback.errors.kinds import ShapeError, UsageError
from symback.errors.words import show, show_shape


def array_rank(part: Any, node: Any) -> ShapeError:
    """A factor of a tensor product to which SymPy gives other axes than it has."""
    return ShapeError(
        f"from_sympy: SymPy gives {type(part).__name__} {len(part.shape)} axes, but its value has the shape "
        f"{show_shape(node.shape)}; write it as an ArraySymbol, a MatrixSymbol or a scalar"
    )


def axis_twice(part: Any, axes: Sequence[int]) -> UsageError:
    """An axis that stands in two groups of a contraction or of a diagonal."""
    twice = sorted({axis for axis in axes if axes.count(axis) > 1})
    return UsageError(
        f"from_sympy: {type(part).__name__} names the axes {', '.join(map(str, twice))} more than once; "
        "put all axes that meet into one group"
    )


def not_of_one_entry(function: Any) -> UsageError:
    """A function of several variables that is applied to each entry."""
    return UsageError(
        f"from_sympy: ArrayElementwiseApplyFunc needs a Lambda of one variable, not {str(function)[:80]}; "
        "give it a function of one entry"
    )


def element_of_no_array(part: Any) -> UsageError:
    """An entry of something whose shape is not known, or of other rank."""
    return UsageError(
        f"from_sympy: cannot convert ArrayElement ({str(part)[:80]}), which names no entry of an array of known shape; "
        f"write ArraySymbol({str(part.name)[:40]!r}, shape)[index, ...] with an index for each axis"
    )


def no_array(node: Any) -> UsageError:
    """A node that is no array expression of SymPy."""
    what = getattr(getattr(node, "operation", None), "name", type(node).__name__)
    of = " of several arrays" if type(node).__name__ == "Map" else ""
    return UsageError(
        f"to_sympy: cannot convert {show(node)}: array expressions of SymPy have no counterpart of {what}{of}; "
        "write the graph with sb.dumps, or take sb.lambdify or sympy.latex of it"
    )


def array_as_scalar(part: Any, array: Any) -> UsageError:
    """A function or an operator of scalars that was given an array."""
    return UsageError(
        f"from_sympy: {type(part).__name__} of the array {str(array)[:40]} of shape {show_shape(array.shape)} has no "
        "meaning in SymPy; write ArrayTensorProduct, ArrayAdd or ArrayElementwiseApplyFunc, or use operators on nodes"
    )
