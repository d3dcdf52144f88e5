"""A function that raised: where, and over which value."""

from typing import Any

from symback.check.nonfinite import events
from symback.check.nonfinite.marking import FRAME, OPERATION
from symback.check.nonfinite.recorder import Frame, Recorder
from symback.check.nonfinite.report import Origin
from symback.check.nonfinite.values import leaves


def origin_of(error: Exception, recorder: Recorder) -> Origin | None:
    """Return what an error goes back to: the first value that is not finite, else an error of arithmetic itself.

    Returns:
        None if all values were finite, and it is another error: then it is the caller's.
    """
    live = [origin for origin in recorder.origins if origin.dropped is None]
    if live:
        return live[0]
    place = _place_of(error) if isinstance(error, ArithmeticError) else None
    if place is None:
        return None
    frame, number = place
    watched, site = frame.watched, frame.watched.sites[number]
    event = events.event_at(watched, site)
    shown = [
        events.described(events.text_at(watched, watched.sites[j].node) + label, leaf, None, {}, None)
        for j in site.operands
        for label, leaf in leaves(frame.values[j])
    ]
    return Origin(kind=_kind(error), name=site.targets or event.text, event=event, operands=tuple(shown))


def _place_of(error: Exception) -> tuple[Frame, int] | None:
    """Return the innermost site that was being evaluated when an error was raised."""
    found, trace = None, error.__traceback__
    while trace is not None:
        frame = trace.tb_frame.f_locals.get(FRAME)
        if isinstance(frame, Frame):
            positions = list(trace.tb_frame.f_code.co_positions())[trace.tb_lasti // 2]
            number = _site_at(frame, positions)
            found = found if number is None else (frame, number)
        trace = trace.tb_next
    return found


def _site_at(frame: Frame, position: tuple[Any, ...]) -> int | None:
    """Return the operation that stands at a place, as instructions give it."""
    for number, site in enumerate(frame.watched.sites):
        node = site.node
        own = (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset)
        if site.kind == OPERATION and own == position:
            return number
    return None


def _kind(error: Exception) -> str:
    said = str(error)
    if isinstance(error, ZeroDivisionError) or "divide by zero" in said:
        return "division"
    return "overflow" if isinstance(error, OverflowError) or "overflow" in said else "invalid"
