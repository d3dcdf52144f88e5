"""Which kinks, jumps, ties and infinite slopes a graph can meet, and what its derivative is there by convention."""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from symback.check.domain.analysis import Analysis
from symback.check.domain.interval import Interval
from symback.graph import dependents, toposort
from symback.nodes.apply import Apply, unnamed
from symback.nodes.leaves import Exact, Variable
from symback.nodes.node import Node
from symback.op.table import primitive_of

Applies = Callable[[Sequence[Interval]], bool]


class Place(NamedTuple):
    """Where an operation has no derivative.

    Attributes:
        applies: Whether its operands can lie there.
        where: The place in words, with {0} for the first operand.
        convention: What the derivative is there; empty if the declaration says it.
    """

    applies: Applies
    where: str
    convention: str = ""


class Kink(NamedTuple):
    """A place at which a graph has no derivative, or an infinite one.

    Attributes:
        node: The node, in short form.
        operation: What it applies.
        where: For which operands.
        convention: What the derivative is there.
    """

    node: str
    operation: str
    where: str
    convention: str


def _at(number: float, position: int = 0) -> Applies:
    return lambda xs: xs[position].low <= number <= xs[position].high and not (number == 0 and xs[position].gap)


def _tie(xs: Sequence[Interval]) -> bool:
    return xs[0].low <= xs[1].high and xs[1].low <= xs[0].high


def _integer(shift: float) -> Applies:
    def applies(xs: Sequence[Interval]) -> bool:
        low, high = (xs[0].low + shift, xs[0].high + shift)
        return not xs[0].is_empty and (
            math.floor(high) >= math.ceil(low) if abs(low) < 1e300 and abs(high) < 1e300 else True
        )

    return applies


def _always(xs: Sequence[Interval]) -> bool:
    return True


def _both_zero(xs: Sequence[Interval]) -> bool:
    return xs[0].has_zero and xs[1].has_zero


def _rough_power(xs: Sequence[Interval]) -> bool:
    """A power that is not smooth at 0: no integer from 0, where the base can be 0."""
    p = xs[1]
    smooth = p.low == p.high and float(p.low).is_integer() and p.low >= 0
    return xs[0].has_zero and not smooth


_ZERO = (Place(_at(0), "{0} = 0"),)
_SHARED = "the entries that tie share the derivative evenly"
_TIE = (Place(_tie, "{0} = {1}"),)
_STEP = "derivative 0, at the jumps too"
_REPEATED = "equal ones are told apart by rounding: eigenvectors have no derivative there"

PLACES: dict[str, tuple[Place, ...]] = {
    **dict.fromkeys(("abs", "fabs", "relu", "sign", "cbrt", "sqrt", "log", "log2", "log10", "log1mexp", "entr", "xlogx",
                     "copysign"), _ZERO),
    **dict.fromkeys(("elu_of", "leaky_relu_of"), (Place(_at(0), "{0} = 0", "the derivative from below"),)),
    "elu_1": (),
    "heaviside": _ZERO,
    "log1p": (Place(_at(-1), "{0} = -1"),),
    **dict.fromkeys(("arcsin", "arccos", "arctanh", "erfinv"), (Place(lambda xs: xs[0].size >= 1, "{0} = 1 or -1"),)),
    "arccosh": (Place(_at(1), "{0} = 1"),),
    **dict.fromkeys(("logit", "ndtri"), (Place(lambda xs: xs[0].has_zero or _at(1)(xs), "{0} = 0 or 1"),)),
    "erfcinv": (Place(lambda xs: xs[0].has_zero or _at(2)(xs), "{0} = 0 or 2"),),
    **dict.fromkeys(("maximum", "minimum", "fmax", "fmin"), _TIE),
    "clip": (Place(lambda xs: _tie(xs[:2]) or _tie([xs[0], xs[2]]), "{0} = {1} or {2}",
                   "half of the derivative; the bound has the other half"),),
    **dict.fromkeys(("floor", "ceil", "trunc"), (Place(_integer(0.0), "integers {0}"),)),
    "rint": (Place(_integer(0.5), "{0} halfway between integers"),),
    **dict.fromkeys(("floor_divide", "remainder", "fmod"), (Place(_always, "{0} a multiple of {1}"),)),
    "round_to": (Place(_always, "{0} halfway between rounded numbers", _STEP),),
    **dict.fromkeys(("modf_fraction", "modf_whole"),
                    (Place(_integer(0.0), "integers {0}", "that of the branch taken"),)),
    "hypot": (Place(_both_zero, "{0} = {1} = 0"),),
    "arctan2": (Place(_both_zero, "{0} = {1} = 0"),
                Place(lambda xs: xs[0].has_zero and xs[1].low < 0, "{0} = 0 with {1} < 0", "that of either side")),
    "power": (Place(_rough_power, "{0} = 0", "that of the formula: infinite, or 0, by the exponent"),),
    "where": (Place(_always, "the edge of {0}", "that of the branch taken"),),
    "huber_penalty": (),
    **dict.fromkeys(("max_over", "min_over", "nanmax_over", "nanmin_over"),
                    (Place(_always, "ties for the {1}imum of {0}", _SHARED),)),
    "sort_along": (Place(_always, "ties in {0}", "entries that tie keep their order"),),
    "quantile_over": (Place(_always, "ties in {0}", "entries that tie keep their order"),),
    "norm_over": (Place(lambda xs: xs[0].has_zero, "{0} = 0", "derivative 0"),),
    "std_over": (Place(lambda xs: not xs[0].is_empty, "all entries of {0} equal", "derivative 0"),),
    **dict.fromkeys(("eigenvalues", "eigenvalues_upper", "singular_values"),
                    (Place(_always, "repeated ones of {0}", "those of the vectors that were computed"),)),
    **dict.fromkeys(("eigenvectors", "eigenvectors_upper", "left_vectors", "right_vectors"),
                    (Place(_always, "repeated eigenvalues or singular values of {0}", _REPEATED),)),
    **dict.fromkeys(("logabsdet", "log_det"), (Place(_always, "a singular {0}", "infinite"),)),
    **dict.fromkeys(("rel_entr", "kl_div"), (Place(_at(0), "{0} = 0"),)),
    **dict.fromkeys(("xlogy",), (Place(_at(0, 1), "{1} = 0"),)),
}  # fmt: skip
"""Operations by name of the primitive."""


def kinks_of(analysis: Analysis, roots: Sequence[Node], wrt: Sequence[Node]) -> list[Kink]:
    """Return the kinks among the nodes of `roots` that depend on `wrt`, or on any variable."""
    order = toposort(roots)
    reached = dependents(roots, wrt or [node for node in order if isinstance(node, Variable)])
    found = [kink for node in order if node in reached for kink in _at_node(analysis, node, reached)]
    return list(dict.fromkeys(found))


def _at_node(analysis: Analysis, node: Node, reached: set[Node]) -> Iterator[Kink]:
    if not isinstance(node, Apply) or node.dtype.kind == "b":
        return
    if not any(operand in reached and operand.dtype.kind in "fb" for operand in node.operands):
        return
    operands = analysis.operands_of(node)
    name = node.operation.name
    words = [_words(operand) for operand in node.operands]
    words += ["max" if "max" in name else "min"] * (len(words) == 1)
    for place in PLACES.get(name, ()):
        if place.applies(operands) and not (name == "where" and _is_smooth_choice(node, reached)):
            convention = place.convention or primitive_of(node).kinks or "as documented"
            yield Kink(node.short(), name, place.where.format(*words), convention)


def _words(operand: Node) -> str:
    return operand.short()


def _is_smooth_choice(node: Apply, reached: set[Node]) -> bool:
    """Is this a choice by what cannot change with a variable that is differentiated by, or between equal branches?"""
    condition, x, y = (unnamed(operand) for operand in node.operands)
    fixed = not any(
        part.dtype.kind == "b" and any(x.dtype.kind == "f" and x in reached for x in part.operands)
        for part in toposort([condition])
    )
    return fixed or x is y or (isinstance(x, Exact) and isinstance(y, Exact) and x.value == y.value)
