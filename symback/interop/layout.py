"""What arrays tell of their memory, for traced ones: axes permuted in a view, and refusals with their cure."""

import operator
from typing import Any, NoReturn

import numpy as np

from symback.errors import tracing as messages
from symback.nodes.methods import ArrayMethods


class Layout(ArrayMethods[Any]):
    """The methods and attributes of a traced array that are about memory."""

    __slots__ = ()

    @property
    def ndim(self) -> int:
        """The number of axes."""
        raise NotImplementedError

    @property
    def size(self) -> Any:
        """The number of entries."""
        raise NotImplementedError

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype."""
        raise NotImplementedError

    def told(self) -> str:
        """Name the array in a message."""
        raise NotImplementedError

    def permuted(self, axes: tuple[int, ...]) -> Any:
        """Return the view with permuted axes."""
        raise NotImplementedError

    # -- views, always -------------------------------------------------------------------------

    @property
    def T(self) -> Any:
        """The view with its axes reversed."""
        return self.permuted(tuple(reversed(range(self.ndim))))

    @property
    def mT(self) -> Any:
        """The view with its last two axes exchanged."""
        return self.swapaxes(-1, -2) if self.ndim > 1 else self._apply("matrix_transpose", self)

    def transpose(self, *axes: Any) -> Any:
        """Return the view with permuted axes."""
        given: Any = axes[0] if len(axes) == 1 and not hasattr(axes[0], "__index__") else axes
        if not given:
            return self.T
        places = tuple(map(self._place, given))
        right = sorted(places) == list(range(self.ndim))
        return self.permuted(places) if right else self._apply("transpose", self, given)

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        """Return the view with two axes exchanged."""
        first, second = self._place(axis1), self._place(axis2)
        if min(first, second) < 0:
            return self._apply("swapaxes", self, axis1, axis2)
        axes = list(range(self.ndim))
        axes[first], axes[second] = second, first
        return self.permuted(tuple(axes))

    def _place(self, axis: Any) -> int:
        """Return an axis counted from the first; -1 if there is none."""
        place = operator.index(axis)
        return place % self.ndim if -self.ndim <= place < self.ndim else -1

    # -- refusals ------------------------------------------------------------------------------

    @property
    def nbytes(self) -> Any:
        """The number of bytes of the entries."""
        return self.size * self.dtype.itemsize

    @property
    def itemsize(self) -> int:
        """The number of bytes of an entry."""
        return self.dtype.itemsize

    @property
    def strides(self) -> NoReturn:
        """Refuse."""
        raise messages.layout(self.told(), "strides", "use shape and indices")

    @property
    def flags(self) -> NoReturn:
        """Refuse."""
        raise messages.layout(self.told(), "flags", "copy before writing, x = x.copy()")

    @property
    def flat(self) -> NoReturn:
        """Refuse: see ravel."""
        cure = "read x.ravel(), and write x[np.unravel_index(i, x.shape)] = value"
        raise messages.layout(self.told(), "flat", cure)

    def put(self, indices: Any, values: Any, mode: str = "raise") -> NoReturn:
        """Refuse to write at places of the raveled array."""
        raise messages.not_recorded("put", "write x[np.unravel_index(indices, x.shape)] = values")

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: Any) -> Any:
        return self.copy()

    def __format__(self, form: str) -> str:
        return repr(self)
