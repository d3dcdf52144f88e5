"""Examples without end: mpmath's series for some functions of 1e30 do not converge in a lifetime."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

SECONDS = 20.0
"""Of CPU time, after which an example is given up."""


class TooSlowError(BaseException):
    """An example that took too long; no `Exception`, so that no check takes it for a finding."""


def _give_up(*_: Any) -> None:
    raise TooSlowError


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """Raise `TooSlowError` after so many seconds of CPU time; in the main thread of a process alone."""
    before = signal.signal(signal.SIGVTALRM, _give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
