"""Equations on lines: aligned at the first sign of equality, broken where a line grows too long."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_MOST_SIGNS_ON_A_LINE = 70
_FRACTION = re.compile(r"\\frac\{([^{}]*)\}\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Equation:
    """A chain of equalities.

    Attributes:
        left: What is equal to each side.
        sides: One or several.
        where: Auxiliary names that the sides use for the first time, with what they stand for.
    """

    left: str
    sides: tuple[str, ...]
    where: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        return " = ".join([self.left, *self.sides])

    def lines(self) -> list[str]:
        """Return lines for an aligned environment, the definitions of auxiliary names first."""
        lines = [f"{name} &= {value}" for name, value in self.where]
        current, used = f"{self.left} &", width(self.left)
        for number, side in enumerate(self.sides):
            if number and used + width(side) > _MOST_SIGNS_ON_A_LINE:
                lines.append(current)
                current, used = "&", 0
            current += f"= {side}" if current.endswith("&") else f" = {side}"
            used += width(side) + 2
        return [*lines, current]


def width(text: str) -> int:
    """Estimate how many signs wide a formula is printed: a fraction is as wide as its wider half."""
    text = re.sub(r"\\(left|right|mathbf|mathrm|operatorname|mathcal|text)\b", "", text)
    text = re.sub(r"\\(?!frac\b)[A-Za-z]+ *", "x", text)
    text = re.sub(r"[_^]\{([^{}]*)\}| ", r"\1", text)
    return len(re.sub(r"[{}_^]", "", _FRACTION.sub(lambda halves: max(halves.groups(), key=len), text)))


def body(equations: Iterable[Equation]) -> str:
    """Return the lines of equations for an aligned environment."""
    return " \\\\\n".join(line for equation in equations for line in equation.lines())


def aligned(equations: Sequence[Equation]) -> str:
    """Return equations as one block for use inside a formula."""
    return f"\\begin{{aligned}}\n{body(equations)}\n\\end{{aligned}}"


def fragment(sections: Sequence[tuple[str, Sequence[Equation]]]) -> str:
    """Return sections of text and displayed equations."""
    blocks = [f"{title}\n\\begin{{align*}}\n{body(equations)}\n\\end{{align*}}" for title, equations in sections]
    return "\n\n".join(blocks) + "\n"
