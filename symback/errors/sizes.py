"""Messages about how large sizes are said to be."""

from collections.abc import Sequence

from symback.errors.kinds import InputError


def sizes_no_mapping(operation: str, given: object) -> InputError:
    """Sizes that are not given by name."""
    return InputError(
        f"{operation}: sizes must be a mapping from names to integers, such as {{'n': 1000}}, "
        f"not {type(given).__name__} ({str(given)[:40]!r})"
    )


def unknown_size(operation: str, name: object, known: Sequence[str]) -> InputError:
    """A size that no shape has."""
    names = f"there are {', '.join(known)}" if known else "all sizes are fixed numbers"
    return InputError(f"{operation}: no shape has a size called {str(name)[:40]!r}; {names}")


def bad_size_value(operation: str, name: str, value: object) -> InputError:
    """A size that is said to be something else than a number of entries."""
    return InputError(f"{operation}: size {name} must be an integer from 0, not {str(value)[:40]!r}")


def size_given_twice(operation: str, name: str, before: object, now: object) -> InputError:
    """A size that has another number already."""
    return InputError(f"{operation}: size {name} is {before} here already, not {now}; give it to the cost without it")
