"""Entries chosen from several arrays, or put in the place of others."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from symback import errors
from symback.nodes.dtypes import BOOL
from symback.nodes.leaves import as_node
from symback.nodes.node import Node
from symback.nodes.shapes import sequence_of
from symback.op.declare import Function, primitive
from symback.op.public import public
from symback.ops.elementwise.logic import isfinite, where

__all__ = ["nan_to_num", "select"]


@public(
    "select",
    examples=(
        lambda f, make: f([make("x", (3,)) > 0, make("x", (3,)) > -1], [make("x", (3,)), make("y", (2, 3))]),
        lambda f, make: f([make("x", (2, 1)) > 0], [make("y", (2, 3))], default=2.5),
        lambda f, make: f([make("x", ()) > 0], [1], make("y", ())),
    ),
    kinks="the branches that are not taken have derivative 0, whatever they are there",
)
def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Node:
    """Choose, entry by entry, the first choice whose condition holds, as `numpy.select` does.

    Args:
        condlist: Boolean nodes.
        choicelist: As many nodes, arrays or numbers; all broadcast.
        default: What is chosen where no condition holds.

    Raises:
        UsageError: If there are no conditions, or not as many as choices.
        DtypeError: If a condition is not boolean.
        ShapeError: If the shapes do not broadcast.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x", ("n",))
        >>> sb.select([x < 0, x < 1], [0, x], 1).shape
        (n,)
    """
    condlist = sequence_of("select", condlist, "conditions")
    choicelist = sequence_of("select", choicelist, "choices")
    if not condlist or len(condlist) != len(choicelist):
        given = f"{len(condlist)} conditions and {len(choicelist)} choices"
        raise errors.bad_node("select", f"it takes a choice for each condition, at least one, not {given}")
    result = as_node(default)
    for condition, choice in reversed([*zip(map(as_node, condlist), choicelist, strict=True)]):
        if condition.dtype != BOOL:
            raise errors.operand_dtype("select", condition, "bool, a comparison such as x > 0")
        result = where(condition, choice, result)
    return result


# -- in the place of what is not finite -------------------------------------------------------------------------


def _checked_replacements(x: Node, *values: Any) -> tuple[Any, Any]:
    if len(values) != 3 or not all(value is None or isinstance(value, (int, float)) for value in values):
        raise errors.bad_node("nan_to_num", "nan, posinf and neginf must be numbers; use sb.where to put in nodes")
    return x.shape, x.dtype


def _replacement(value: Any) -> Any:
    """Return a number as Python's own; an array or a node is refused, which NumPy takes."""
    if isinstance(value, (np.floating, np.integer)):
        value = value.item()
    if value is None or isinstance(value, (int, float)):
        return value
    raise errors.bad_node("nan_to_num", "nan, posinf and neginf must be numbers; use sb.where to put in nodes")


def _number_text(value: float) -> str:
    if value == -np.inf:
        return "-np.inf"
    return repr(value).replace("e+", "e") if np.isfinite(value) else f"np.{value}"


def _spell_nan_to_num(spell: Any, operands: Any, parameters: Any) -> str:
    defaults = zip(("nan", "posinf", "neginf"), parameters, (0.0, None, None), strict=True)
    given = [f", {name}={_number_text(value)}" for name, value, default in defaults if value != default]
    return f"np.nan_to_num({operands[0]}{''.join(given)})"


_nan_to_num: Function = primitive(
    "replace_nonfinite",
    signature=_checked_replacements,
    vjp=lambda g, node: (where(isfinite(node.operands[0]), g, 0),),
    numpy=_spell_nan_to_num,
    value=lambda x, nan, posinf, neginf: np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf),
    mpmath=lambda mp, x, nan, posinf, neginf: np.frompyfunc(lambda v: nan if mp.isnan(v) else v, 1, 1)(x),
    latex=r"\operatorname{{nan\_to\_num}}\left({0}\right)",
    examples=(
        lambda make: _nan_to_num(make("x", (2, 3)), 0.0, None, None),
        lambda make: _nan_to_num(make("x", ()), 2.0, 1.0, -1.0),
    ),
    batch="leading",
    doc="Entries that are not finite replaced by numbers.",
)


@public(
    "nan_to_num",
    examples=(
        lambda f, make: f(make("x", (2, 3))),
        lambda f, make: f(np.nan / (make("x", (3,)) * 0), nan=2.0),
        lambda f, make: f(make("x", ()), False, 1.0, 2.0, -2.0),
        lambda f, make: f(make("k", (3,), dtype="int64")),
    ),
    kinks="derivative 0 where the entry is replaced",
)
def nan_to_num(
    x: Any, copy: bool = True, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Node:
    """Replace NaN and infinities by numbers, as `numpy.nan_to_num` does.

    Args:
        x: A node.
        copy: Has no effect: nodes are never changed.
        nan: In the place of NaN.
        posinf: In the place of infinity; by default the largest number of the dtype.
        neginf: In the place of minus infinity; by default the smallest number of the dtype.

    Raises:
        UsageError: If a replacement is not a number.

    Example:
        >>> import symback as sb
        >>> sb.nan_to_num(sb.tensor("x", (3,)), nan=-1.0).shape
        (3,)
    """
    x = as_node(x)
    return _nan_to_num(x, *map(_replacement, (nan, posinf, neginf))) if x.dtype.kind == "f" else x
