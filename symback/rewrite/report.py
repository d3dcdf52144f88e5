"""What rewriting did: which rule was applied where."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reason:
    """One application of a rule, in words.

    Attributes:
        rule: The name of the rule.
        place: The name (by `let`, or that of an adjoint) of the smallest named expression that it happened in, ``-``
            where there is none.
        before: What it was applied to.
        after: What became of that.
    """

    rule: str
    place: str
    before: str
    after: str


class Explanation(tuple[Reason, ...]):
    """The applications of rules, in their order; it prints as a table.

    Example:
        >>> import symback as sb
        >>> x = sb.tensor("x", ("n",))
        >>> print(sb.explain(sb.let("y", 1 / (1 + sb.exp(-x)))))
        rule               in  before                  after
        logistic function  y   divide(1, 1 + exp(-x))  sigmoid(x)
    """

    __slots__ = ()

    def __str__(self) -> str:
        if not self:
            return "no rule applied"
        rows = [("rule", "in", "before", "after"), *((r.rule, r.place, r.before, r.after) for r in self)]
        widths = [max(len(row[k]) for row in rows) for k in range(4)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
        )

    __repr__ = __str__

    def __reduce__(self) -> tuple[type["Explanation"], tuple[list[Reason]]]:
        return Explanation, (list(self),)


NOTHING = Explanation()
