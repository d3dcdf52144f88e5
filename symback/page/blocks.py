"""What a page is made of: headings, paragraphs and displayed equations.

Nothing here knows what a formula says. A formula is LaTeX; what it means is carried along for whoever checks it.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple


class Formula(NamedTuple):
    """A formula.

    Attributes:
        text: LaTeX.
        meaning: What it says (`symback.latex.meaning.Meaning`), None where that cannot be evaluated.
    """

    text: str
    meaning: Any = None


@dataclass(frozen=True, slots=True)
class Equation:
    """A chain of equalities.

    Attributes:
        left: What is equal to each side.
        sides: One or several.
        where: Auxiliary names that the sides use for the first time, with what they stand for.
        reasons: For each side why it is equal to the one before, in words (inline mathematics between dollar
            signs); ``""`` where it needs none.
        note: What stands beside the equation: its residual, or a tag.
    """

    left: Formula
    sides: tuple[Formula, ...]
    where: tuple[tuple[Formula, Formula], ...] = ()
    reasons: tuple[str, ...] = ()
    note: str = ""

    def __str__(self) -> str:
        return " = ".join([self.left.text, *(side.text for side in self.sides)])


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is a section."""

    text: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of plain text, with inline mathematics between dollar signs."""

    text: str


@dataclass(frozen=True, slots=True)
class Display:
    """Equations on lines of their own, aligned at the first sign of equality."""

    equations: tuple[Equation, ...]


Block = Heading | Paragraph | Display


@dataclass(frozen=True, slots=True)
class Page:
    """A text of headings, paragraphs and equations."""

    title: str
    blocks: tuple[Block, ...]
