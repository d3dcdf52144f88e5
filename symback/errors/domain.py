"""Messages of `verify`: domains that name nothing, or are none."""

from collections.abc import Iterable

from symback.errors.kinds import DtypeError, InputError, UsageError


def not_a_domain(given: object) -> UsageError:
    """A `domain` that is no mapping."""
    return UsageError(
        f"verify: domain is a {type(given).__name__}; give a dict from variables, or their names and those of sizes, "
        'to intervals, such as domain={"x": (0, None), "p": [0, 1]}'
    )


def unknown_domain(name: str, known: Iterable[str]) -> InputError:
    """A name that no variable and no size has."""
    names = ", ".join(known) or "none"
    return InputError(
        f"verify: domain names {name!r}, which is no variable and no size of the outputs; there are: {names}"
    )


def bad_interval(name: str, given: object) -> UsageError:
    """Something that is no interval."""
    return UsageError(
        f"verify: the domain of {name} is {given!r}; give a tuple (low, high) for an open interval, a list [low, high] "
        'for a closed one, a string such as "[0, 1)", a real sympy.Interval, or one number; None is no bound'
    )


def empty_interval(name: str, text: str, dtype: object) -> InputError:
    """An interval without a number of the dtype."""
    return InputError(f"verify: the domain of {name}, {text}, holds no number of {dtype}; give low < high")


def bad_size_interval(name: str, text: str) -> InputError:
    """A size that would be negative or no integer."""
    return InputError(
        f"verify: the size {name} cannot lie in {text}: sizes are integers from 0; give {{{name!r}: [1, None]}}"
    )


def no_domain_outputs() -> InputError:
    """Nothing to look at."""
    return InputError("verify: there are no outputs; give a node, or a list, tuple or dict of nodes")


def no_real_outputs(dtypes: Iterable[object]) -> DtypeError:
    """Derivatives of outputs of which none is a float."""
    names = ", ".join(dict.fromkeys(map(str, dtypes)))
    return DtypeError(
        f"verify: wrt asks for derivatives, but no output is a float: they are {names}; leave wrt out, or convert one "
        'by sb.astype(output, "float64")'
    )
