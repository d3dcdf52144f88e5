"""Ranges of an axis: how they are written, and where two of them meet as far as symbolic sizes tell."""

from typing import Any, TypeAlias

from symback.nodes.shapes import SizeExpr, simplify_size, size_symbols

Entry: TypeAlias = SizeExpr | tuple[SizeExpr, SizeExpr, int] | None
"""An integer takes one place; (start, stop, step) a range; None the whole axis. stop -1 stands for before the first."""

PIECES = ("unslice", "scatter_add")
"""The primitives whose result is zero but for a part."""

_LARGE = 100

APART: Any = ("apart",)
"""Says that two entries of one axis have no place in common."""


def meet(own: Entry, wanted: Entry, *, fits: bool = False) -> Any:
    """Return where two entries of an axis meet: counted in the first, and in the second; None if that is not known.

    With `fits`, ranges that meet at large sizes are taken to meet: code that slices there refuses smaller sizes.
    """
    if own is None or wanted is None:
        return wanted, own
    if own == wanted:
        return None, None
    if isinstance(own, tuple) and isinstance(wanted, tuple):
        return _two_ranges(own, wanted, fits)
    if isinstance(own, tuple) or isinstance(wanted, tuple):
        found = _within(*(own, wanted) if isinstance(own, tuple) else (wanted, own))
        return found if found is None or found is APART else (found, None) if isinstance(own, tuple) else (None, found)
    return APART if isinstance(simplify_size(own - wanted), int) else None


def _within(entry: tuple[SizeExpr, SizeExpr, int], place: SizeExpr) -> Any:
    """Return an integer as counted in a range."""
    start, stop, step = entry
    before, behind = _sign(place - start), _sign(place - stop)
    if step != 1:
        return None
    if before == -1 and isinstance(simplify_size(place - start), int):
        return APART
    if behind is not None and behind >= 0:
        return APART
    if before is not None and before >= 0 and isinstance(simplify_size(place - stop), int):
        return simplify_size(place - start)
    return None


def _two_ranges(own: tuple[SizeExpr, SizeExpr, int], wanted: tuple[SizeExpr, SizeExpr, int], fits: bool) -> Any:
    (start, stop, step), (first, last, stride) = own, wanted
    low, below = _larger(start, first), _larger(-stop, -last)
    if step != 1 or stride != 1 or low is None or below is None:
        return None
    length = _sign(-below - low)
    if length is None and fits:
        length = _sign_when_large(-below - low)
    if length is None:
        return None
    return APART if length <= 0 else (_between(low, -below, start, stop), _between(low, -below, first, last))


def _between(low: SizeExpr, high: SizeExpr, start: SizeExpr, stop: SizeExpr) -> Entry:
    """Write a range that lies within another one, counted from its start; None if it is all of it."""
    if low == start and high == stop:
        return None
    return simplify_size(low - start), simplify_size(high - start), 1


def _larger(one: SizeExpr, other: SizeExpr) -> SizeExpr | None:
    sign = _sign(one - other)
    return None if sign is None else one if sign >= 0 else other


def _sign(size: SizeExpr) -> int | None:
    """Return the sign of a difference of sizes: 1 also for what cannot be negative; None if it depends on the sizes."""
    size = simplify_size(size)
    if isinstance(size, int):
        return (size > 0) - (size < 0)
    return 1 if size.is_nonnegative else -1 if size.is_nonpositive else None


def _sign_when_large(size: SizeExpr) -> int | None:
    """Return the sign of a difference at all sizes from some number on."""
    symbols = size_symbols(size)
    return None if isinstance(size, int) else _sign(size.xreplace({symbol: symbol + _LARGE for symbol in symbols}))
