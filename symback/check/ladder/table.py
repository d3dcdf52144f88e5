"""The table of methods: a new one is one row."""

from collections.abc import Mapping
from types import MappingProxyType

from symback.check.ladder import analytic, differences, digits, identities, remainder
from symback.check.ladder.graph import is_exact
from symback.check.ladder.lines import Method, by_differences
from symback.check.ladder.subject import Subject

METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "forward": by_differences("forward", differences.forward),
        "central": by_differences("central", differences.central),
        "five-point": by_differences("five-point", differences.derivative),
        "ridders": by_differences("ridders", differences.ridders),
        "mpmath": digits.in_digits,
        "complex": analytic.by_complex_step,
        "taylor": remainder.by_taylor,
        "dot": identities.dot_products,
        "symmetry": identities.symmetry,
    }
)
"""From the name of a method to what compares one variable."""


def default_method(subject: Subject) -> str:
    """Return the method that a verdict is taken from if none is asked for.

    Many digits where the subject is a graph that has them and they cost a few seconds at most, or else differences
    in float64 that know their error.
    """
    return "mpmath" if is_exact(subject) else "five-point"
