"""What a formula is made of, once it is read."""

from typing import NamedTuple, TypeAlias


class Sign(NamedTuple):
    """One sign, or a word that is read as one.

    Attributes:
        kind: ``letter`` (italic), ``word`` (upright letters: a function, a name), ``number``, ``ordinary``,
            ``operator`` (between two operands), ``prefix`` (a sign before its operand), ``relation``, ``large`` (a sum,
            a product), ``open``, ``close``, ``bar``, ``comma``, ``text``, ``space``, ``gap`` (a blank in the source:
            between factors), ``unknown`` (a command without a meaning here).
        text: In Unicode; of a space its command.
        alphabet: The command of its alphabet, such as ``mathbf``.
    """

    kind: str
    text: str
    alphabet: str = ""


class Row(NamedTuple):
    """Parts side by side, each with the places in the source where it starts and ends."""

    parts: "tuple[Part, ...]"
    spans: tuple[tuple[int, int], ...] = ()


class Scripts(NamedTuple):
    """A base with what stands below and above it."""

    base: "Part"
    below: Row | None
    above: Row | None


class Fraction(NamedTuple):
    """A fraction."""

    top: Row
    bottom: Row


class Root(NamedTuple):
    """A root; the degree is None for a square root."""

    body: Row
    degree: Row | None


class Fence(NamedTuple):
    r"""What stands between ``\left`` and ``\right``; a delimiter that is a dot is empty."""

    left: str
    body: Row
    right: str


class Accent(NamedTuple):
    """A letter with an accent, named by its command."""

    name: str
    body: Row


class Table(NamedTuple):
    """Rows of cells, with the name of their environment."""

    name: str
    rows: tuple[tuple[Row, ...], ...]


Part: TypeAlias = Sign | Row | Scripts | Fraction | Root | Fence | Accent | Table


def sign_of(part: Part) -> Sign | None:
    """Return the sign that a part is, or that its scripts stand at."""
    base = part.base if isinstance(part, Scripts) else part
    return base if isinstance(base, Sign) else None
