"""Messages about sparse derivatives."""

from collections.abc import Sequence
from typing import Any

from symback.errors.kinds import InputError
from symback.errors.words import show


def pattern_too_large(entries: int, most: int) -> InputError:
    """A pattern with so many entries that it is of no use."""
    return InputError(
        f"sparsity: a pattern with {entries} entries is needed, more than {most}; this derivative is dense: "
        "leave sparse=True away, or use products with it (sb.jvp, sb.vjp, sb.hvp)"
    )


def sizes_needed(operation: str, names: Sequence[str], node: Any) -> InputError:
    """A pattern that depends on sizes which are no numbers."""
    given = ", ".join(f"{name!r}: 100" for name in names)
    return InputError(
        f"{operation}: the pattern of {show(node)} depends on the symbolic size{'s' * (len(names) > 1)} "
        f"{', '.join(names)}; say how large: sizes={{{given}}}"
    )
