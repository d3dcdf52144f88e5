"""What a traced function was refused is remembered, so that catching it cannot lead to a wrong number unseen."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Refusal = TypeVar("Refusal", bound=Exception)

_refusals: ContextVar[list[Exception] | None] = ContextVar("refusals", default=None)


def remembered(message: Callable[Parameters, Refusal]) -> Callable[Parameters, Refusal]:
    """Make a function that makes an error one whose errors the trace at hand remembers."""

    @wraps(message)
    def make(*args: Parameters.args, **named: Parameters.kwargs) -> Refusal:
        error = message(*args, **named)
        found = _refusals.get()
        if found is not None:
            found.append(error)
        return error

    return make


@contextmanager
def remembering() -> Iterator[list[Exception]]:
    """Collect the refusals of a trace; those of one that fails are those of the trace that it is part of, too."""
    outer, found = _refusals.get(), list[Exception]()
    token = _refusals.set(found)
    try:
        yield found
    except BaseException:
        if outer is not None:
            outer.extend(found)
        raise
    finally:
        _refusals.reset(token)
