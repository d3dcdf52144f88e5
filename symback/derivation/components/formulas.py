r"""Formulas by components as data: entries, sums over indices, products, and the elimination of Kronecker deltas.

A labelled meaning is a `Meaning` of one of the operations below. An index is a letter, a place that is known (an
``int``, counted from 0), or a `Shifted` letter.

=============  =============================  =========================================================
operation      parts                          data
=============  =============================  =========================================================
``entry``      what the entry is of           its indices, and the text and shape of what has no name
``delta``                                     two indices: 1 where they are equal
``at_most``                                   two indices: 1 where the first is at most the second
``sum``        the body                       pairs of a bound letter and its size
``times``      factors
``plus``       terms
``power``      the base                       an integer
``number``                                    an exact number
``size``                                      a size
``map``        arguments, entry by entry      the node whose primitive is applied
``bracket``    a condition
``by_entry``   an expression                  the node and the indices of the entry that it is derived by
``slope``      an argument                    the node of the function whose derivative is taken
``labelled``                                  a labelled meaning, and the letters of its equation with their sizes
=============  =============================  =========================================================

What an entry is of: ``value``, ``adjoint``, ``partial`` or ``slope`` of `symback.latex.meaning`, or a formula of
matrix notation.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from typing import Any, NamedTuple

from symback.latex.meaning import Meaning
from symback.nodes.exact_numbers import times as multiplied
from symback.nodes.leaves import ExactValue
from symback.nodes.shapes import Shape, SizeExpr, simplify_size


class Shifted(NamedTuple):
    """The place ``scale * letter + offset``, counted from 0; without a letter, the place `offset`."""

    letter: str
    scale: int
    offset: SizeExpr


Index = str | int | Shifted
Indices = tuple[Index, ...]
Bound = tuple[tuple[str, SizeExpr], ...]

ONE = Meaning("number", data=1)
ZERO = Meaning("number", data=0)
_OF_TWO = frozenset({"delta", "at_most"})


def number(value: ExactValue) -> Meaning:
    """Return an exact number."""
    return Meaning("number", data=value)


def entry(base: Meaning, indices: Indices, text: str | None = None, shape: Shape | None = None) -> Meaning:
    """Return the entry of an array at indices; what has no name has a text and a shape."""
    return Meaning("entry", (base,), (indices, text, shape))


def delta(one: Index, other: Index, size: SizeExpr | None = None) -> Meaning:
    """Return the Kronecker delta of two indices of an axis of this size."""
    return ONE if one == other else Meaning("delta", data=(one, other, size))


def at_most(one: Index, other: Index) -> Meaning:
    """Return 1 where one index is at most the other, else 0; two that count from the end are turned round."""
    both = isinstance(one, Shifted) and isinstance(other, Shifted)
    if both and one.scale == other.scale == -1 and one.offset == other.offset:  # type: ignore[union-attr]
        return Meaning("at_most", data=(other.letter, one.letter))  # type: ignore[union-attr]
    return Meaning("at_most", data=(one, other))


def times(factors: Iterable[Meaning]) -> Meaning:
    """Multiply: one number in front, sums around the whole, equal factors as powers."""
    coefficient: ExactValue = 1
    bound: Bound = ()
    found: dict[Meaning, int] = {}
    pending = list(factors)[::-1]
    while pending:
        factor = pending.pop()
        if factor.op == "number":
            coefficient = multiplied(coefficient, factor.data)
        elif factor.op == "times":
            pending.extend(factor.parts[::-1])
        elif factor.op == "sum":
            bound += factor.data
            pending.append(factor.parts[0])
        else:
            base, exponent = (factor.parts[0], factor.data) if factor.op == "power" else (factor, 1)
            found[base] = 1 if base.op == "delta" else found.get(base, 0) + exponent
    if coefficient == 0:
        return ZERO
    powers = [base if n == 1 else Meaning("power", (base,), n) for base, n in found.items()]
    powers.sort(key=lambda factor: bool(letters_of(factor)))
    return _scaled(coefficient, summed(_product(powers), bound))


def _product(factors: Sequence[Meaning]) -> Meaning:
    if len(factors) == 1:
        return factors[0]
    return Meaning("times", tuple(factors)) if factors else ONE


def _scaled(coefficient: ExactValue, body: Meaning) -> Meaning:
    if coefficient == 1:
        return body
    if body.op == "number":
        return number(multiplied(coefficient, body.data))
    rest = body.parts if body.op == "times" else (body,)
    if rest[0].op == "number":
        coefficient, rest = multiplied(coefficient, rest[0].data), rest[1:]
    return _product(rest) if coefficient == 1 else Meaning("times", (number(coefficient), *rest))


def plus(terms: Iterable[Meaning]) -> Meaning:
    """Add; zeros are left out."""
    flat = [part for term in terms for part in (term.parts if term.op == "plus" else (term,)) if not is_zero(part)]
    return flat[0] if len(flat) == 1 else Meaning("plus", tuple(flat)) if flat else ZERO


def is_zero(meaning: Meaning) -> bool:
    """Is this the number 0?"""
    return meaning.op == "number" and bool(meaning.data == 0)


def summed(body: Meaning, bound: Bound) -> Meaning:
    """Sum over letters: those that the body lacks count, factors without letters stand in front."""
    if body.op == "sum":
        body, bound = body.parts[0], (*bound, *body.data)
    if not bound or is_zero(body):
        return body
    for letter, size in bound:
        body = _forwards(body, letter, size)
    factors = body.parts if body.op == "times" else (body,)
    front = [factor for factor in factors if not letters_of(factor)]
    inside = [factor for factor in factors if letters_of(factor)]
    used = {letter for factor in inside for letter in letters_of(factor)}
    front += [Meaning("size", data=size) for letter, size in bound if letter not in used]
    kept = tuple(pair for pair in bound if pair[0] in used)
    made = Meaning("sum", (_product(inside),), kept) if kept else _product(inside)
    first: ExactValue = reduce(multiplied, [f.data for f in front if f.op == "number"], number(1).data)
    rest = [f for f in front if f.op != "number"]
    return _scaled(first, _product([*rest, made] if rest and made != ONE else rest or [made]))


def _forwards(body: Meaning, letter: str, size: SizeExpr) -> Meaning:
    """Count a bound letter from the start, where every entry counts it from the end."""
    last = Shifted(letter, -1, simplify_size(size - 1))
    if last not in _entry_indices(body) or letter in _entry_indices(body):
        return body
    return with_indices(body, {letter: last})


def _entry_indices(meaning: Meaning) -> set[Index]:
    """Return the indices of all entries."""
    return {index for indices, _, _ in entries_of(meaning) for index in indices}


def entries_of(meaning: Meaning) -> Iterator[tuple[Indices, str | None, Shape | None]]:
    """Yield the data of all entries."""
    if meaning.op == "entry":
        yield meaning.data
    else:
        for part in meaning.parts:
            yield from entries_of(part)


def letter_of(index: Index) -> str | None:
    """Return the letter of an index, None for a known place."""
    letter = index.letter if isinstance(index, Shifted) else index
    return letter if isinstance(letter, str) and letter else None


def _indices_of(meaning: Meaning) -> Indices:
    """Return the indices that a piece has itself."""
    if meaning.op in ("entry", "by_entry"):
        indices: Indices = meaning.data[0] if meaning.op == "entry" else meaning.data[1]
        return indices
    return meaning.data[:2] if meaning.op in _OF_TWO else ()


def letters_of(meaning: Meaning) -> dict[str, None]:
    """Return the free letters of a labelled meaning, in the order in which they are read."""
    found = {letter: None for index in _indices_of(meaning) if (letter := letter_of(index)) is not None}
    if meaning.op != "entry":
        for part in meaning.parts:
            found |= letters_of(part)
    for letter, _ in meaning.data if meaning.op == "sum" else ():
        found.pop(letter, None)
    return found


def at_letters(indices: Indices, given: Mapping[str, Index]) -> Indices:
    """Put other indices in the places of letters."""
    return tuple(replaced(index, given) for index in indices)


def with_indices(meaning: Meaning, given: Mapping[str, Index]) -> Meaning:
    """Put other indices in the places of free letters; bound letters of the meaning are different from all of them."""
    if meaning.op == "entry":
        return meaning._replace(data=(at_letters(meaning.data[0], given), *meaning.data[1:]))
    if meaning.op == "by_entry":
        node, indices = meaning.data
        parts = (with_indices(meaning.parts[0], given),)
        return meaning._replace(parts=parts, data=(node, at_letters(indices, given)))
    if meaning.op in _OF_TWO:
        return _of_two(meaning, given)
    if not meaning.parts:
        return meaning
    return with_parts(meaning, [with_indices(part, given) for part in meaning.parts])


def _of_two(meaning: Meaning, given: Mapping[str, Index]) -> Meaning:
    one, other = [replaced(index, given) for index in meaning.data[:2]]
    return delta(one, other, meaning.data[2]) if meaning.op == "delta" else at_most(one, other)


def with_parts(meaning: Meaning, parts: Sequence[Meaning]) -> Meaning:
    """Put a meaning together anew from other parts."""
    if meaning.op == "times":
        return times(parts)
    if meaning.op == "plus":
        return plus(parts)
    if meaning.op == "sum":
        return summed(parts[0], meaning.data)
    return meaning._replace(parts=tuple(parts))


def replaced(index: Index, given: Mapping[str, Index]) -> Index:
    """Put another index in the place of the letter of an index."""
    if not isinstance(index, Shifted):
        return given.get(index, index) if isinstance(index, str) else index
    new = given.get(index.letter, index.letter)
    if isinstance(new, str):
        return index._replace(letter=new)
    if isinstance(new, int):
        return _place(simplify_size(index.scale * new + index.offset))
    offset = simplify_size(index.scale * new.offset + index.offset)
    return Shifted(new.letter, index.scale * new.scale, offset)


def _place(size: SizeExpr) -> Index:
    return size if isinstance(size, int) else Shifted("", 0, size)


def factors_of(meaning: Meaning) -> tuple[Meaning, ...]:
    """Return the factors of a product, or the one piece that it is."""
    return meaning.parts if meaning.op == "times" else (meaning,)


# -- letters ------------------------------------------------------------------------------------------------------


def renamed(meaning: Meaning, names: Mapping[str, str], letters: Sequence[str]) -> Meaning:
    """Give free letters their names, and bound ones the first letters that are not in use, in the order of reading."""
    return _renamed(meaning, names, letters)


def bound_letters(meaning: Meaning) -> set[str]:
    """Return the letters that are summed over anywhere in a meaning."""
    if meaning.op == "entry":
        return set()
    own = {letter for letter, _ in meaning.data} if meaning.op == "sum" else set[str]()
    return own.union(*(bound_letters(part) for part in meaning.parts))


def holds(meaning: Meaning, op: str) -> bool:
    """Is this operation somewhere in a meaning?"""
    if meaning.op == "entry":
        return meaning.parts[0].op == op
    return meaning.op == op or any(holds(part, op) for part in meaning.parts)


def _renamed(meaning: Meaning, names: Mapping[str, str], letters: Sequence[str]) -> Meaning:
    if meaning.op == "sum":
        order = [letter for letter in letters_of(meaning.parts[0]) if letter in dict(meaning.data)]
        fresh = _fresh(names.values(), letters)
        inner = {**names, **{letter: next(fresh) for letter in order}}
        sizes = dict(meaning.data)
        bound = tuple((inner[letter], sizes[letter]) for letter in order)
        return Meaning("sum", (_renamed(meaning.parts[0], inner, letters),), bound)
    if meaning.op == "entry":
        return meaning._replace(data=(at_letters(meaning.data[0], names), *meaning.data[1:]))
    if meaning.op == "by_entry":
        meaning = meaning._replace(data=(meaning.data[0], at_letters(meaning.data[1], names)))
    elif meaning.op in _OF_TWO:
        return _of_two(meaning, names)
    return meaning._replace(parts=tuple(_renamed(part, names, letters) for part in meaning.parts))


def _fresh(taken: Iterable[str], letters: Sequence[str]) -> Iterator[str]:
    used = set(taken)
    turn = 0
    while True:
        for letter in letters:
            name = letter if not turn else f"{letter}_{{{turn}}}"
            if name not in used:
                yield name
        turn += 1


def alike(one: Meaning, other: Meaning) -> bool:
    """Do two meanings differ in the order of factors and terms only?"""
    same: bool = _key(one) == _key(other)
    return same


def _key(meaning: Meaning) -> Any:
    if meaning.op == "entry":
        return meaning
    parts = [_key(part) for part in meaning.parts]
    if meaning.op in ("times", "plus"):
        parts.sort(key=repr)
    unordered = meaning.op in ("sum", "delta")
    return (meaning.op, tuple(parts), repr(sorted(meaning.data, key=repr)) if unordered else meaning.data)
