r"""Layers: equations that repeat with a number that grows are stated once, with an index for that number.

``z_{2} = W_{2} a_{1} + b_{2}``, ``z_{3} = W_{3} a_{2} + b_{3}``, ... are the instances of one equation,
``z_{l} = W_{l} a_{l-1} + b_{l}, \quad l = 2, \dots, 20``. Only what is printed decides: a number is read
where it stands alone in braces, in parentheses, between commas or as an index, and groups of equations are
instances of one if they are the same text but for such numbers, which are linear in the index. So each
instance is the general one with a number put in, letter by letter; what differs, the first layer that reads
the data or the last one that meets the loss, is printed by itself. Where much of a recursion would be printed by
itself, between its layers, nothing is stated once: no line uses what only a later one says.
Nothing is known here about networks.

The index of a group is the first number of its last equation, which says what the group is about: the derivative by
``z_{l}`` is stated with what it needs of layer l + 1. Groups that belong to one recursion are printed in the order that
they have in one layer; what is left over from them, before or behind.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from symback.page.blocks import Equation, Formula

_LEAST = 3
_LETTERS = ("l", r"\ell", "s", "r", "q", r"\nu", r"\tau", r"\iota")
_NUMBER = re.compile(r"((?<=[{(,\[])(?:0|[1-9]\d{0,8})(?=[}),\]])|(?<=[_^])\d)")
_WORD = re.compile(r"\\(?:mathrm|text\w*|operatorname)\{[^{}]*\}|\\[A-Za-z]+|[A-Za-z]")


class Stated(NamedTuple):
    """A group of equations as it is printed.

    Attributes:
        equations: The group, with the index in the place of its number where it is stated for several.
        places: Which of the given groups these are; those of a recursion in the order in which they were given.
    """

    equations: tuple[Equation, ...]
    places: tuple[int, ...]


def layer_letter(texts: Iterable[str]) -> str | None:
    r"""Return a letter for the index of layers that no text uses as a name; None if all are taken.

    Example:
        >>> layer_letter([r"z_{1} = x", r"\lambda"]), layer_letter(["a_{kl}"])
        ('l', '\\ell')
    """
    used = {word for text in texts for word in _WORD.findall(text)}
    return next((letter for letter in _LETTERS if letter not in used), None)


def stated(groups: Sequence[Sequence[Equation]], letter: str | None) -> tuple[Stated, ...]:
    r"""State once what at least three groups of equations say of successive layers.

    Args:
        groups: Equations that are printed together: those of one step, or one alone.
        letter: The index of the layers (see `layer_letter`); None states each group as it is.

    Returns:
        All groups, each in one of the results; in the order given, but for those of one recursion.

    Example:
        >>> looks = [Formula(f"a_{{{k}}}") for k in range(4)]
        >>> layers = [Equation(a, (Formula(rf"\tanh\left({x.text}\right)"),)) for x, a in pairwise(looks)]
        >>> [group] = stated([[equation] for equation in layers], "l")
        >>> print(group.equations[0], group.places)
        a_{l} = \tanh\left(a_{l-1}\right), \quad l = 1, 2, 3 (0, 1, 2)
    """
    alone = [Stated(tuple(group), (place,)) for place, group in enumerate(groups)]
    families = _families(groups) if letter else []
    if not letter or not families:
        return tuple(alone)
    found: list[Stated] = []
    done = 0
    for block in _blocks(families):
        start, end = min(family.places[0] for family in block), max(family.places[-1] for family in block)
        taken = {place for family in block for place in family.places}
        rest = [place for place in range(start, end + 1) if place not in taken]
        found += alone[done:start]
        between, repeated = [groups[place] for place in rest], [groups[place] for place in taken]
        recursion = [Stated(family.equations(letter), tuple(family.places)) for family in block]
        others = [alone[place] for place in rest]
        needed = _mention(between, repeated)
        if needed and 2 * len(rest) > min(len(family.places) for family in block) and _mention(repeated, between):
            found += alone[start : end + 1]
        else:
            found += [*recursion, *others] if needed else [*others, *recursion]
        done = end + 1
    return (*found, *alone[done:])


def _mention(groups: Iterable[Sequence[Equation]], others: Iterable[Sequence[Equation]]) -> bool:
    """Do groups use what others are the equations of?"""
    names = {equation.left.text for other in others for equation in other}
    texts = [side.text for group in groups for equation in group for side in equation.sides]
    return any(name in text for text in texts for name in names)


class _Text(NamedTuple):
    """The texts of a group, cut at numbers that could be an index; those from `main` on are of its last equation."""

    skeleton: tuple[tuple[str, ...], ...]
    numbers: tuple[int, ...]
    main: int


class _Family:
    """Groups that are instances of one: each number of the texts is ``slope * index + shift``."""

    def __init__(self, group: Sequence[Equation], text: _Text, slopes: Sequence[int], index: int) -> None:
        self.group = group
        self.skeleton = text.skeleton
        self.slopes = slopes
        self.shifts = [number - slope * index for number, slope in zip(text.numbers, slopes, strict=True)]
        self.places: list[int] = []
        self.indices: list[int] = []

    @property
    def key(self) -> tuple[object, ...]:
        """What two families have in common that say the same."""
        return self.skeleton, tuple(self.slopes), tuple(self.shifts)

    def index_of(self, text: _Text) -> int | None:
        """Return the index at which this is the given text."""
        fixed = next(k for k, slope in enumerate(self.slopes) if abs(slope) == 1)
        index = (text.numbers[fixed] - self.shifts[fixed]) * self.slopes[fixed]
        wanted = tuple(slope * index + shift for slope, shift in zip(self.slopes, self.shifts, strict=True))
        return index if wanted == text.numbers else None

    def equations(self, letter: str) -> tuple[Equation, ...]:
        """Write the group with a letter in the place of the index, and for which indices it holds."""
        numbers = iter(zip(self.slopes, self.shifts, strict=True))
        texts = iter([_filled(parts, numbers, letter) for parts in self.skeleton])
        where = rf", \quad {letter} = {_listed(self.indices)}"
        return tuple(_rewritten(equation, texts, where) for equation in self.group)


def _families(groups: Sequence[Sequence[Equation]]) -> list[_Family]:
    """Find the recursions, each with all groups that are instances of it."""
    classes: dict[tuple[tuple[str, ...], ...], list[tuple[int, _Text]]] = {}
    for place, group in enumerate(groups):
        text = _cut(group)
        if group and text.numbers:
            classes.setdefault(text.skeleton, []).append((place, text))
    found: list[_Family] = []
    for members in classes.values():
        known = {family.key: family for family in _runs(groups, members)}
        for place, text in members:
            for family in known.values():
                if (index := family.index_of(text)) is not None:
                    family.places.append(place)
                    family.indices.append(index)
                    break
        found += [family for family in known.values() if len(family.places) >= _LEAST]
    return found


def _runs(groups: Sequence[Sequence[Equation]], members: Sequence[tuple[int, _Text]]) -> Iterator[_Family]:
    """Yield a family for each run of groups whose numbers change by the same amounts from one to the next."""
    changes = [
        tuple(new - old for old, new in zip(one.numbers, other.numbers, strict=True))
        for (_, one), (_, other) in pairwise(members)
    ]
    length = 0
    for number, change in enumerate(changes):
        length = length + 1 if number and change == changes[number - 1] else 1
        if length == _LEAST - 1 and any(change):
            place, text = members[number]
            order = [*range(text.main, len(change)), *range(text.main)]
            index = next(k for k in order if change[k])
            if not _divides(change[index], change):
                index = min(order, key=lambda k: abs(change[k]) or float("inf"))
            step = change[index]
            if _divides(step, change):
                yield _Family(groups[place], text, [part // step for part in change], text.numbers[index])


def _divides(step: int, change: Sequence[int]) -> bool:
    return all(part % step == 0 for part in change)


def _blocks(families: Sequence[_Family]) -> Iterator[list[_Family]]:
    """Yield the families that run side by side, in the order of the places that they have in one layer."""
    block: list[_Family] = []
    end = -1
    for family in sorted(families, key=lambda family: family.places[0]):
        if block and family.places[0] > end:
            yield _in_order(block)
            block = []
        block.append(family)
        end = max(end, family.places[-1])
    yield _in_order(block)


def _in_order(block: Sequence[_Family]) -> list[_Family]:
    common = set.intersection(*(set(family.indices) for family in block))
    if not common:
        return list(block)
    layer = sorted(common)[len(common) // 2]
    return sorted(block, key=lambda family: family.places[family.indices.index(layer)])


def _texts(equation: Equation) -> Iterator[str]:
    """Yield the texts of an equation, in the order in which `_rewritten` takes them."""
    yield equation.left.text
    yield from (side.text for side in equation.sides)
    yield from (formula.text for pair in equation.where for formula in pair)
    yield from equation.reasons
    yield equation.note


def _cut(group: Sequence[Equation]) -> _Text:
    """Cut the texts of a group at their numbers."""
    skeleton, numbers, main = list[tuple[str, ...]](), list[int](), 0
    for equation in group:
        main = len(numbers)
        for text in _texts(equation):
            parts = _NUMBER.split(text)
            skeleton.append((str(len(equation.sides)), str(len(equation.where)), *parts[::2]))
            numbers += [int(part) for part in parts[1::2]]
    return _Text(tuple(skeleton), tuple(numbers), main)


def _filled(parts: Sequence[str], numbers: Iterator[tuple[int, int]], letter: str) -> str:
    """Put a text together, with the index in the place of its number."""
    _, _, text, *others = parts
    for part in others:
        slope, shift = next(numbers)
        number = _linear(slope, shift, letter)
        text += (f"{{{number}}}" if text[-1:] in ("_", "^") and not number.isdigit() else number) + part
    return text


def _linear(slope: int, shift: int, letter: str) -> str:
    """Write ``slope * letter + shift``.

    Example:
        >>> _linear(1, -1, "l"), _linear(-1, 21, "l"), _linear(2, 0, "l"), _linear(0, 3, "l")
        ('l-1', '21-l', '2 l', '3')
    """
    if not slope:
        return str(shift)
    term = letter if abs(slope) == 1 else f"{abs(slope)} {letter}"
    if slope < 0:
        return f"{shift}-{term}"
    return f"{term}{shift:+d}" if shift else term


def _rewritten(equation: Equation, texts: Iterator[str], holds: str) -> Equation:
    """Return an equation with other texts, which say for which indices it holds; its instances carry the meaning."""
    left, *sides = [Formula(next(texts)) for _ in (equation.left, *equation.sides)]
    where = tuple((Formula(next(texts)), Formula(next(texts))) for _ in equation.where)
    reasons = tuple(next(texts) for _ in equation.reasons)
    if sides:
        sides[-1] = Formula(sides[-1].text + holds)
    else:
        left = Formula(left.text + holds)
    return Equation(left, tuple(sides), where, reasons, next(texts))


def _listed(indices: Sequence[int]) -> str:
    r"""Write indices: ``2, \dots, 20``, or ``20, 18, \dots, 2``; after a gap the list goes on.

    Example:
        >>> _listed([2, 3, 4, 5, 8, 9, 10, 11]), _listed([7, 5, 3, 1])
        ('2, \\dots, 5, 8, \\dots, 11', '7, 5, \\dots, 1')
    """
    pieces: list[str] = []
    start = 0
    for stop in range(1, len(indices) + 1):
        run = indices[start:stop]
        if stop < len(indices) and (len(run) < 2 or indices[stop] - run[-1] == run[1] - run[0]):
            continue
        shown = run if len(run) <= _LEAST else [*run[: 1 if abs(run[1] - run[0]) == 1 else 2], r"\dots", run[-1]]
        pieces += [str(item) for item in shown]
        start = stop
    return ", ".join(pieces)
