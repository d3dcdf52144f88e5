"""Messages about results that take too much memory."""

from collections.abc import Iterable

from symback.errors.kinds import InputError, MemoryLimitError
from symback.errors.words import show_shape

COMPRESSED = "structure='compressed' returns what it is made of"
"""The cure of a dense result."""


def over_limit(shape: Iterable[object], needed: int, limit: int, cure: str) -> MemoryLimitError:
    """A result whose size is known and above the limit."""
    return MemoryLimitError(
        f"lambdify: a result of shape {show_shape(shape)} takes {needed:,} bytes, memory_limit is {limit:,}; {cure}"
    )


def bad_memory_limit(operation: str, value: object) -> InputError:
    """A limit that is no number of bytes."""
    return InputError(f"{operation}: memory_limit={value!r} is no number of bytes; give a positive integer, or None")
