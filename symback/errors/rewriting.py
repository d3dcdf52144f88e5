"""Messages about rewriting."""

from collections.abc import Sequence
from typing import Any

from symback.errors.kinds import RewriteError, UsageError


def bad_rule(name: Any, reason: str) -> UsageError:
    """A rule that cannot be one."""
    return UsageError(
        f"rule {str(name)[:60]!r}: {reason}; write Rule(name, lambda x: left, lambda x: right) with expressions of "
        "the same parameters, where c and d are numbers and axis the axes of a reduction"
    )


def not_rules(rules: Any) -> UsageError:
    """Something else where rules are wanted."""
    return UsageError(
        f"rewrite: rules must be a list of sb.Rule, not {_kind(rules)}; the lists that symback has are "
        "sb.STABILISE, sb.SIMPLIFY and sb.TAILS"
    )


def _kind(rules: Any) -> str:
    kinds = sorted({type(rule).__name__ for rule in rules}) if isinstance(rules, (list, tuple)) else []
    return f"{type(rules).__name__} of {', '.join(kinds)}" if kinds else type(rules).__name__


def endless(names: Sequence[str], bound: int) -> RewriteError:
    """Rules that undo one another, or make expressions longer for ever."""
    shown = ", ".join(repr(name) for name in dict.fromkeys(names))
    return RewriteError(
        f"rewrite: no end after {bound} applications of {shown}; the right side of a rule must be simpler than its "
        "left side, so that rules cannot undo one another"
    )


def rule_changes(name: str, before: Any, after: Any) -> RewriteError:
    """A right side of another shape or dtype than the left side."""
    return RewriteError(
        f"rule {name!r}: the left side has shape {before.shape} and dtype {before.dtype}, the right side "
        f"{after.shape} and {after.dtype}; both sides must stand for the same array"
    )
