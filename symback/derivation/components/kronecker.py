r"""Kronecker deltas, and their elimination: ``\sum_k A_k \delta_{ki} B_j`` becomes ``A_i B_j``, by labels alone."""

from symback.derivation.components.formulas import (
    Bound,
    Index,
    Indices,
    Shifted,
    factors_of,
    letter_of,
    plus,
    replaced,
    summed,
    times,
    with_indices,
    with_parts,
)
from symback.latex.meaning import Meaning
from symback.nodes.shapes import simplify_size

_MOST_TERMS = 12


def eliminated(meaning: Meaning) -> Meaning:
    r"""Eliminate Kronecker deltas: ``\sum_k A_k \delta_{ki} B_j`` becomes ``A_i B_j``, by labels alone.

    A bound letter in a delta takes the other index of it, everywhere in the body. A delta without a bound letter, or
    whose bound letter is shifted (it need not reach every place), stays.
    """
    if meaning.op == "entry" or not meaning.parts:
        return meaning
    made = with_parts(meaning, [eliminated(part) for part in meaning.parts])
    if made.op == "times" and made.parts[-1].op == "sum":
        return times([*made.parts[:-1], eliminated(made.parts[-1])])
    return _without_deltas(made) if made.op == "sum" else made


def _without_deltas(made: Meaning) -> Meaning:
    """Eliminate the deltas of one sum; a sum inside is multiplied out where it holds one."""
    bound: Bound = made.data
    factors = list(factors_of(made.parts[0]))
    for place, factor in enumerate(factors):
        pair = _tie(factor, bound)
        if pair is not None:
            rest = times([*factors[:place], *factors[place + 1 :]])
            kept = tuple(item for item in made.data if item[0] != pair[0])
            found = summed(with_indices(rest, {pair[0]: pair[1]}), kept)
            return eliminated(found)
        if factor.op == "plus" and len(factor.parts) <= _MOST_TERMS and _holds_tie(factor, bound):
            around = [*factors[:place]], [*factors[place + 1 :]]
            return plus(eliminated(summed(times([*around[0], part, *around[1]]), made.data)) for part in factor.parts)
    return made


def _tie(factor: Meaning, bound: Bound) -> tuple[str, Index] | None:
    """Return the bound letter of a delta and what it is equal to: a letter alone, or one that counts from the end."""
    if factor.op != "delta":
        return None
    one, other, size = factor.data
    for letter, index in ((one, other), (other, one)):
        if isinstance(letter, str) and letter in dict(bound) and letter_of(index) != letter:
            return letter, index
    for shifted, index in ((one, other), (other, one)):
        if isinstance(shifted, Shifted) and shifted.scale == -1 and letter_of(index) != shifted.letter:
            last = None if size is None else simplify_size(size - 1)
            if dict(bound).get(shifted.letter) == size and shifted.offset == last:
                return shifted.letter, replaced(shifted, {shifted.letter: index})
    return None


def _holds_tie(meaning: Meaning, bound: Bound) -> bool:
    return any(_tie(factor, bound) for term in meaning.parts for factor in factors_of(term))


def with_last_letters(meaning: Meaning, last: Indices) -> Meaning:
    r"""Write the factors beside a delta by the letter of it that is among `last`: ``\delta_{ki} \sigma'(z_i)``."""
    if meaning.op == "plus":
        return plus(with_last_letters(part, last) for part in meaning.parts)
    deltas = [factor for factor in factors_of(meaning) if factor.op == "delta"]
    given: dict[str, Index] = {}
    for found in deltas:
        one, other, _ = found.data
        for letter, index in ((one, other), (other, one)):
            if isinstance(letter, str) and letter not in last and letter_of(index) in last:
                given.setdefault(letter, index)
    if not given:
        return meaning
    return times(f if f in deltas else with_indices(f, given) for f in factors_of(meaning))
