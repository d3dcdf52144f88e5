"""What is known at one vector of parameters, and the functions that find it out one after another."""

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from symback.objective.parameters import Array


class Code(Protocol):
    """An emitted function."""

    source: str

    def __call__(self, *arguments: Any) -> Any:
        """Run it."""


class Link(NamedTuple):
    """One of several functions that go on from one another.

    Attributes:
        code: The function.
        wants: The names of what earlier ones have kept for it.
        keeps: The names of what it returns beside its result.
    """

    code: Code
    wants: tuple[str, ...]
    keeps: tuple[str, ...]


_BITS = {4: np.uint32, 8: np.uint64}
_FEW = 512


class Point:
    """What is known at one vector of parameters: the loss, and what functions have kept for later ones.

    Attributes:
        theta: A copy of the vector.
        chain: The functions that are used.
    """

    def __init__(self, theta: Array, chain: tuple[Link, ...], data: Sequence[Any]) -> None:
        self.theta = theta.copy()
        self._first = theta[:_FEW].tobytes()
        self.chain = chain
        self._data = data
        self._value: Any = None
        self._kept: dict[str, Any] = {}
        self._done = 0

    def is_at(self, theta: Array) -> bool:
        """Is this vector the same, bit by bit? Where optimisers move, the first entries tell."""
        if theta[:_FEW].tobytes() != self._first:
            return False
        bits = _BITS[theta.itemsize]
        return len(theta) <= _FEW or np.array_equal(self.theta.view(bits), theta.view(bits))

    def value(self) -> Any:
        """Return the loss."""
        if self._value is None:
            self._value = self._run(0)
        return self._value

    def gradient(self) -> Array:
        """Return the gradient, which belongs to the caller; asked for again, it is computed again from what is kept."""
        if not self._done:
            self._value = self._run(0)
        gradient: Array = self._run(1)
        return gradient

    def value_and_gradient(self, code: Code) -> tuple[Any, Array]:
        """Return both, by one function of both if nothing is known and nothing is to be kept."""
        if self._done or len(self.chain) > 2:
            return self.value(), self.gradient()
        self._value, gradient = code(self.theta, *self._data)
        return self._value, gradient

    def product(self, direction: Array) -> Array:
        """Return the product of the Hessian with a vector."""
        if self._done < 2:
            self.gradient()
        product: Array = self._run(2, direction)
        return product

    def _run(self, place: int, *more: Array) -> Any:
        """Run a function of the chain on what those before it have kept."""
        link = self.chain[place]
        found, *kept = link.code(self.theta, *more, *(self._kept[name] for name in link.wants), *self._data)
        self._kept.update(zip(link.keeps, kept, strict=True))
        self._done = max(self._done, place + 1)
        return found
