r"""The value of formulas by components: an array with an axis for each index letter.

Each piece is evaluated as it is printed: an entry takes places of an array, a Kronecker delta compares them, a sum over
a letter adds along its axis (see `symback.derivation.components.formulas` for the operations).
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
import sympy

from symback.derivation.components.formulas import Bound, Index, Shifted, letter_of, letters_of
from symback.latex.meaning import Meaning
from symback.nodes.node import Node
from symback.nodes.shapes import SizeExpr

Array = np.ndarray[Any, Any]
Lengths = Mapping[str, int]


class Leaves(Protocol):
    """Where the values of names, and derivatives by differences, come from."""

    @property
    def context(self) -> Any:
        """The mpmath context of all numbers."""

    def array(self, node: Node) -> Array:
        """Return the value of a node."""

    def adjoint(self, node: Node) -> Array:
        """Return the derivative of the loss by a node."""

    def partial(self, of: Node, by: Node) -> Array:
        """Return the derivative of one quantity by another, the others held."""

    def slope(self, node: Node) -> Array:
        """Return the derivative of an elementwise function at its argument."""

    def size(self, size: SizeExpr) -> int:
        """Return a size."""

    def apply(self, node: Node, operands: Sequence[Any]) -> Array:
        """Return the operation of a node on other operands."""


def labelled_value(
    meaning: Meaning, letters: Bound, point: Leaves, *, value_of: Callable[[Meaning, Any], Array] | None = None
) -> Array:
    """Evaluate a labelled meaning.

    Args:
        meaning: One of the operations of `symback.derivation.components.formulas`.
        letters: The letters of the axes of the result, in this order, each with its size.
        point: The values of what has a name.
        value_of: Evaluates matrix notation, of which entries may be taken.

    Returns:
        An array of numbers with an axis for each of `letters`.
    """
    lengths = {letter: point.size(size) for letter, size in letters}
    value, own = _Evaluation(point, value_of).value(meaning, lengths)
    return np.broadcast_to(_aligned(value, own, tuple(lengths)), tuple(lengths.values()))


Labelled = tuple[Array, tuple[str, ...]]


def _aligned(value: Array, letters: tuple[str, ...], wanted: tuple[str, ...]) -> Array:
    """Bring the axes of a value into an order, with axes of size 1 for letters that it lacks."""
    order = [letters.index(letter) for letter in wanted if letter in letters]
    assert len(order) == len(letters), (letters, wanted)
    shape = [value.shape[letters.index(letter)] if letter in letters else 1 for letter in wanted]
    return np.transpose(value, order).reshape(shape)


class _Evaluation:
    """One rule for each operation; a value comes with the letters of its axes."""

    def __init__(self, point: Leaves, value_of: Callable[[Meaning, Any], Array] | None) -> None:
        self.point = point
        self._value_of = value_of

    def value(self, meaning: Meaning, lengths: Lengths) -> Labelled:
        rule: Callable[[Meaning, Lengths], Labelled] = getattr(self, f"_{meaning.op}")
        return rule(meaning, lengths)

    # -- leaves ---------------------------------------------------------------------------------

    def _base(self, meaning: Meaning) -> Array:
        """Return the array that entries are taken of, with an axis for each index."""
        (base,) = meaning.parts
        if base.op == "partial":
            return self.point.partial(*base.data)
        if base.op in ("value", "adjoint"):
            return np.asarray(getattr(self.point, "array" if base.op == "value" else base.op)(base.data))
        assert self._value_of is not None, meaning
        shape = tuple(self.point.size(size) for size in meaning.data[2])
        return np.asarray(self._value_of(base, self.point)).reshape(shape)

    def _entry(self, meaning: Meaning, lengths: Lengths) -> Labelled:
        array = self._base(meaning)
        indices = meaning.data[0]
        letters = tuple(dict.fromkeys(found for index in indices if (found := letter_of(index)) is not None))
        places = tuple(self._places(index, letters, lengths) for index in indices)
        return np.asarray(array[places], dtype=array.dtype), letters

    def _places(self, index: Index, letters: tuple[str, ...], lengths: Lengths) -> Any:
        """Return the places that an index takes, along the axis of its letter."""
        letter = letter_of(index)
        scale, offset = (index.scale, self.point.size(index.offset)) if isinstance(index, Shifted) else (1, 0)
        if letter is None:
            return offset if isinstance(index, Shifted) else index
        places = scale * np.arange(lengths[letter]) + offset
        assert (places >= 0).all(), (index, lengths)
        return places.reshape([-1 if letter == other else 1 for other in letters])

    def _delta(self, meaning: Meaning, lengths: Lengths) -> Labelled:
        return self._compared(meaning, lengths, np.equal)

    def _at_most(self, meaning: Meaning, lengths: Lengths) -> Labelled:
        return self._compared(meaning, lengths, np.less_equal)

    def _compared(self, meaning: Meaning, lengths: Lengths, compare: Any) -> Labelled:
        one, other = meaning.data[:2]
        letters = tuple(dict.fromkeys(found for index in (one, other) if (found := letter_of(index)) is not None))
        holds = compare(self._places(one, letters, lengths), self._places(other, letters, lengths))
        return self._numbers(holds), letters

    def _number(self, meaning: Meaning, lengths: Lengths) -> Labelled:
        return self._numbers(_exact(meaning.data, self.point.context)), ()

    def _size(self, meaning: Meaning, lengths: Lengths) -> Labelled:
        return self._numbers(self.point.size(meaning.data)), ()

    def _numbers(self, value: Any) -> Array:
        """Return an array of numbers of the context; True is 1."""
        made = np.frompyfunc(self.point.context.mpf, 1, 1)(np.asarray(value).astype(object))
        return np.asarray(made, dtype=object)

    # -- operations -----------------------------------------------------------------------------

    def _together(self, meaning: Meaning, lengths: Lengths, *, numbers: bool = True) -> tuple[list[Array], Any]:
        """Evaluate the parts, with their axes in one order."""
        found = [self.value(part, lengths) for part in meaning.parts]
        letters = tuple(dict.fromkeys(letter for _, own in found for letter in own))
        values = [_aligned(value, own, letters) for value, own in found]
        return [self._numbers(v) if numbers and v.dtype != object else v for v in values], letters

    def _times(self, meaning: Meaning, lengths: Lengths) -> Labelled:
        values, letters = self._together(meaning, lengths)
        product = values[0]
        for value in values[1:]:
            product = np.asarray(product * value, dtype=object)
        return product, letters

    def _plus(self, meaning: Meaning, lengths: Lengths) -> Labelled:
        values, letters = self._together(meaning, lengths)
        total = values[0]
        for value in values[1:]:
            total = np.asarray(total + value, dtype=object)
        return total, letters

    def _power(self, meaning: Meaning, lengths: Lengths) -> Labelled:
        (value,), letters = self._together(meaning, lengths)
        return np.asarray(value**meaning.data, dtype=object), letters

    def _bracket(self, meaning: Meaning, lengths: Lengths) -> Labelled:
        value, letters = self.value(meaning.parts[0], lengths)
        return self._numbers(value.astype(bool)), letters

    def _map(self, meaning: Meaning, lengths: Lengths) -> Labelled:
        if isinstance(self.point, _Beside) and meaning.data.operation.name == "stop_gradient":
            return _Evaluation(self.point.still, self._value_of).value(meaning, lengths)
        values, letters = self._together(meaning, lengths, numbers=False)
        return np.asarray(self.point.apply(meaning.data, values)), letters

    def _slope(self, meaning: Meaning, lengths: Lengths) -> Labelled:
        """Differences of the function at the argument as it is printed."""
        value, letters = self.value(meaning.parts[0], lengths)
        return self._difference(lambda moved: self.point.apply(meaning.data, [value + moved])), letters

    def _sum(self, meaning: Meaning, lengths: Lengths) -> Labelled:
        inner = {letter: self.point.size(size) for letter, size in meaning.data}
        value, letters = self.value(meaning.parts[0], {**lengths, **inner})
        kept = tuple(letter for letter in letters if letter not in inner)
        closed = tuple(place for place, letter in enumerate(letters) if letter in inner)
        assert len(closed) == len(meaning.data), meaning
        total = np.sum(value, axis=closed, initial=self.point.context.mpf(0)) if closed else value
        return np.asarray(total, dtype=object), kept

    # -- derivatives by differences ---------------------------------------------------------------

    def _by_entry(self, meaning: Meaning, lengths: Lengths) -> Labelled:
        """Move each entry of the node, all else as it is, and evaluate the expression beside the point."""
        node, indices = meaning.data
        body = meaning.parts[0]
        array, free = self.point.array(node), tuple(letters_of(body))
        slopes = np.empty((array.size, *[lengths[letter] for letter in free]), dtype=object)
        for place in range(array.size):

            def beside(step: Any, place: int = place) -> Array:
                moved = array.copy()
                moved.flat[place] += step
                value, letters = _Evaluation(_Beside(self.point, node, moved), self._value_of).value(body, lengths)
                return np.broadcast_to(_aligned(value, letters, free), slopes.shape[1:])

            slopes[place : place + 1] = self._difference(beside)[None]
        by = np.moveaxis(slopes, 0, -1).reshape(slopes.shape[1:] + array.shape)
        outer = tuple(letter for index in indices if (letter := letter_of(index)) is not None)
        return by[(..., *[slice(None) if letter_of(index) else 0 for index in indices])], (*free, *outer)

    def _difference(self, function: Callable[[Any], Array]) -> Array:
        """Differentiate at 0 by a central difference, with a step so small that its error is beyond the digits."""
        context = self.point.context
        step = context.mpf(10) ** (-(context.dps // 3))
        return np.asarray((function(step) - function(-step)) / (2 * step), dtype=object)


class _Beside:
    """A point at which one node has another value; other names keep theirs."""

    def __init__(self, point: Leaves, node: Node, array: Array) -> None:
        self.still, self._node, self._array = point, node, array

    def __getattr__(self, name: str) -> Any:
        return getattr(self.still, name)

    def array(self, node: Node) -> Array:
        """Return the value of a node: that which was given, or what it is at the point."""
        return self._array if node is self._node else self.still.array(node)


def _exact(value: Any, context: Any) -> Any:
    """Return an exact number to the digits of a context."""
    if isinstance(value, Fraction):
        return context.mpf(value.numerator) / value.denominator
    if isinstance(value, sympy.Expr):
        return context.make_mpf(sympy.Float(value.evalf(context.dps), context.dps)._mpf_)
    return context.mpf(value)
