"""The objective itself: what was computed for the last vector is kept, and checked arguments go to emitted code."""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

import numpy as np

from symback import errors
from symback.errors import objectives as messages
from symback.nodes.leaves import Variable
from symback.nodes.node import Node
from symback.objective.parameters import Array, Sizes, Unrolled, bound, known, matched
from symback.objective.points import Code, Link, Point
from symback.structure import Nested, refill


class Functions(Protocol):
    """The emitted functions of a problem, whatever the data; each is compiled when it is first asked for.

    Attributes:
        unrolled: The parameters in one vector.
        fixed: The sizes of parameters, which no data can change.
        with_products: Have products with the Hessian been asked for?
    """

    unrolled: Unrolled
    fixed: Sizes
    with_products: bool

    @property
    def value_and_gradient(self) -> Code:
        """Of the vector and the data."""

    @property
    def second(self) -> Code:
        """The Hessian, of the vector and the data."""

    @property
    def chain(self) -> tuple[Link, ...]:
        """Value and gradient."""

    @property
    def chain_with_products(self) -> tuple[Link, ...]:
        """Value, gradient and product; the gradient computes besides what all products at one vector need."""


class Problem(NamedTuple):
    """What is to be minimised, by which parameters, given which data."""

    loss: Node
    structure: Nested
    parameters: tuple[Variable, ...]
    data: tuple[Variable, ...]
    style: str
    memory_limit: int | None
    functions: Mapping[str, Any] = MappingProxyType({})


class Objective:
    """A loss as a function of one vector of parameters, with its derivatives: see `objective`.

    Vectors are checked, copied and never kept or changed. What was computed for the last vector is kept, and used
    again if the next call is for equal numbers: the gradient goes on from the forward pass of the value, and products
    with the Hessian do at one vector only what depends on the direction. Threads may share an objective.

    Attributes:
        size: The length of the vector.
        names: The parameters' names, in their order in the vector.
        data: The arrays that are bound, by name.
    """

    def __init__(
        self, problem: Problem, make: Callable[[Problem, Sizes], Functions], values: Sequence[Any], sizes: Sizes,
        copy: bool,
    ) -> None:  # fmt: skip
        self._problem = problem
        self._make = make
        self._copy = copy
        self._functions: Functions | None = None
        self._values: list[Any] = [None] * len(values)
        self._bind(dict(zip(self._data_names, values, strict=True)), sizes)

    def _bind(self, new: Mapping[str, Any], sizes: Sizes) -> None:
        """Check all data, keep what is new of them, and note how large the parameters are if that is known now."""
        self._last: Point | None = None
        self._sizes = dict(sizes)
        old = dict(zip(self._data_names, self._values, strict=True))
        arrays = bound(self._problem.data, [{**old, **new}[name] for name in old], self._sizes)
        found = {name: _kept(array) if self._copy else array for name, array in zip(old, arrays, strict=True)
                 if name in new}  # fmt: skip
        self._values = list({**old, **found}.values())
        if self._functions is None and not self._unknown_sizes():
            self._functions = self._make(self._problem, self._sizes)

    def _unknown_sizes(self) -> list[tuple[Variable, Any]]:
        """Return the sizes of parameters that are not known yet, with the parameters."""
        sizes = [(node, known(size, self._sizes)) for node in self._problem.parameters for size in node.shape]
        return [(node, size) for node, size in sizes if not isinstance(size, int)]

    @property
    def _data_names(self) -> list[str]:
        return [node.name for node in self._problem.data]

    def with_data(self, data: Mapping[Any, Any]) -> "Objective":
        """Return the objective of other data, such as a mini-batch; nothing is compiled again.

        Args:
            data: From variables, or names, to arrays; what is not mentioned stays. Sizes that no parameter has may
                change.

        Raises:
            InputError: If a name is unknown, or an array has a wrong shape.
            DtypeError: If an array would lose by conversion.
        """
        if not isinstance(data, Mapping):
            raise errors.no_bindings("with_data", data)
        found = {key if isinstance(key, str) else str(getattr(key, "name", key)): value for key, value in data.items()}
        for name in found:
            if name not in self._data_names:
                raise errors.unknown_binding("with_data", name, sorted(self._data_names))
        other = object.__new__(Objective)
        other.__dict__.update(self.__dict__)
        other._bind(found, self._fixed)
        return other

    @property
    def _fixed(self) -> Sizes:
        """The sizes of the parameters, as far as they are known."""
        if self._functions is not None:
            return self._functions.fixed
        return {name: size for name, size in self._sizes.items() if size[1] == "sizes"}

    @property
    def size(self) -> int:
        """The number of parameters: the length of the vector."""
        return self._ready.unrolled.size

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the parameters, in their order in the vector."""
        return tuple(node.name for node in self._problem.parameters)

    @property
    def data(self) -> dict[str, Any]:
        """The arrays that are bound, by name; they cannot be written to, unless ``copy=False``."""
        return dict(zip(self._data_names, self._values, strict=True))

    # -- parameters ---------------------------------------------------------------------------------------

    def pack(self, values: Nested) -> Array:
        """Copy values of the parameters into one new vector.

        Args:
            values: In the structure of the parameters, or a mapping from variables or names.

        Raises:
            InputError: If values are missing or have wrong shapes.
            DtypeError: If a value would lose by conversion.
        """
        given = matched(self._problem.structure, self.names, values)
        sizes = dict(self._sizes if self._functions is None else self._functions.fixed)
        arrays = bound(self._problem.parameters, given, sizes)
        if self._functions is None:
            self._functions = self._make(self._problem, sizes)
        return self._functions.unrolled.pack(arrays)

    def unpack(self, theta: Any) -> Nested:
        """Return the parameters in their structure: views of the vector, if it is an array of their dtype."""
        unrolled = self._ready.unrolled
        return refill(self._problem.structure, unrolled.unpack(unrolled.checked("theta", theta)))

    # -- values -------------------------------------------------------------------------------------------

    def fun(self, theta: Any) -> Any:
        """Return the loss at a vector of parameters.

        Raises:
            InputError: If the vector has another length; so do `jac`, `fun_and_jac`, `hess` and `hessp`.
            DtypeError: If it does not consist of real numbers.
        """
        return self._at(theta).value()

    def jac(self, theta: Any) -> Array:
        """Return the gradient, as one new vector."""
        return self._at(theta).gradient()

    def fun_and_jac(self, theta: Any) -> tuple[Any, Array]:
        """Return the loss and the gradient, as ``minimize(..., jac=True)`` wants them."""
        return self._at(theta).value_and_gradient(self._ready.value_and_gradient)

    def hess(self, theta: Any) -> Array:
        """Return the Hessian, as one new matrix that is symmetric to the last bit.

        Raises:
            MemoryLimitError: If the matrix would take more than the limit; `hessp` needs none.
        """
        unrolled = self._ready.unrolled
        limit = self._problem.memory_limit
        limit = _physical_memory() if limit is None else limit
        if unrolled.size**2 * unrolled.dtype.itemsize > limit:
            raise messages.large_hessian(unrolled.size, unrolled.dtype.itemsize, limit)
        matrix: Array = self._ready.second(unrolled.checked("theta", theta), *self._values)
        for place in unrolled.places:
            _mirror(matrix[place, place])
        return matrix

    def hessp(self, theta: Any, p: Any) -> Array:
        """Return the product of the Hessian with a vector, as one new vector.

        At the same `theta`, a second product does only what depends on `p`.
        """
        direction = self._ready.unrolled.checked("p", p)
        return self._at(theta, products=True).product(direction)

    def _at(self, theta: Any, products: bool = False) -> Point:
        """Return what is known at a vector, by value: whoever has passed it may have changed it since."""
        functions = self._ready
        vector = functions.unrolled.checked("theta", theta)
        last = self._last
        if last is None or (products and len(last.chain) < 3) or not last.is_at(vector):
            if products:
                functions.with_products = True
            chain = functions.chain_with_products if functions.with_products else functions.chain
            last = self._last = Point(vector, chain, self._values)
        return last

    @property
    def _ready(self) -> Functions:
        """The functions, whose parameters have known sizes."""
        if self._functions is None:
            node, size = self._unknown_sizes()[0]
            missing = min(symbol.name for symbol in size.free_symbols)
            raise messages.unknown_parameter_size(missing, node)
        return self._functions

    # -- the code -----------------------------------------------------------------------------------------

    @property
    def source(self) -> str:
        """The emitted module of `fun_and_jac`, a function of the vector and the data."""
        return self._ready.value_and_gradient.source

    @property
    def sources(self) -> dict[str, str]:
        """The emitted modules of all functions: those of ``fun``, ``jac`` and ``hessp`` go on from one another.

        ``fun`` returns beside the loss what ``jac`` is given, and both return what ``hessp`` is given.
        """
        functions = self._ready
        chain = zip(("fun", "jac", "hessp"), functions.chain_with_products, strict=True)
        found = {"fun_and_jac": functions.value_and_gradient, "hess": functions.second}
        return {name: code.source for name, code in found.items()} | {name: link.code.source for name, link in chain}

    def __repr__(self) -> str:
        sizes = f"theta ({self.size},): {self._functions.unrolled}" if self._functions else ", ".join(self.names)
        return f"<objective of {sizes}>"

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_last": None}


def _kept(array: Any) -> Any:
    """Return a copy that nobody can write to."""
    if not isinstance(array, np.ndarray):
        return array
    copied = np.array(array)
    copied.flags.writeable = False
    return copied


_STRIP = 256
"""How many rows of a matrix are mirrored at once."""


def _mirror(matrix: Array) -> None:
    """Copy what is below the diagonal of a matrix to above it, as rounding may have made the two differ."""
    for start in range(0, len(matrix), _STRIP):
        stop = start + _STRIP
        square = matrix[start:stop, start:stop]
        square[...] = np.where(_lower(len(square)), square, square.T)
        matrix[start:stop, stop:] = matrix[stop:, start:stop].T


@lru_cache(maxsize=16)
def _lower(size: int) -> Array:
    return np.tri(size, dtype=bool)


def _physical_memory() -> int:
    """Return how many bytes of memory the machine has, or more than any has where it does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 2**63
