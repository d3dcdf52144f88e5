"""Plain functions as subjects: of NumPy, JAX or torch, with a gradient that is given as one more function."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from symback.check.ladder.noise import EPS
from symback.check.ladder.subject import Array, Subject
from symback.errors import methods as errors
from symback.nodes.dtypes import is_float

_FAILURES = (ArithmeticError, ValueError, RuntimeError)
_SINGLE = float(np.finfo(np.float32).eps)
_TRIES = 6


def subjects_of(fun: Callable[..., Any], grad: Any, at: Any) -> list[Subject]:
    """Return a subject for each argument of a function that can be moved.

    Args:
        fun: The function; it returns a number, in any array type that NumPy can read. It is called with copies of the
            arguments in their dtypes, so it may write to them; Python's integers count as float64.
        grad: The function that claims to be its gradient, called as `fun` is; True if `fun` returns value and
            gradient; or the gradient itself. It has the structure of `at`.
        at: The point: an array, a list or tuple (``fun(*at)``) or a dict (``fun(**at)``). In these, arrays of integers
            and what is no number are passed on as they are, and no gradient is asked for.

    Returns:
        The subjects, in the order of the arguments. If the function is computed in float32, their precision is that
        of float32, also where it returns Python's numbers.

    Raises:
        InputError: If nothing at the point can be moved, the function fails or is not finite there, or a gradient is
            missing or holds no real numbers.
        ShapeError: If the function does not return a single number, or a gradient does not have the shape of its
            argument.

    Example:
        >>> import numpy as np
        >>> (subject,) = subjects_of(lambda x: np.sum(x**3), lambda x: 3 * x**2, np.array([1.0, 2.0]))
        >>> subject.name, subject.claimed.tolist()
        ('x', [3.0, 12.0])
    """
    arguments = _Arguments(at)
    call = _Call(fun, arguments, pair=grad is True)
    claims = _claims(call.gradient if grad is True else grad, arguments)
    return _subjects(arguments, call, claims, call.precision())


def _subjects(arguments: "_Arguments", call: "_Call", claims: Sequence[Array], precision: float) -> list[Subject]:
    return [
        Subject(
            name=name,
            point=point.astype(np.float64),
            claimed=claim,
            fun=call.along(name),
            position=position,
            precision=max(precision, float(np.finfo(point.dtype).eps)),
        )
        for position, ((name, point), claim) in enumerate(zip(arguments.points.items(), claims, strict=True))
    ]


class _Arguments:
    """The arguments of a function by name, and those that move as arrays."""

    def __init__(self, at: Any) -> None:
        self.kind = "dict" if isinstance(at, Mapping) else "list" if isinstance(at, (list, tuple)) else "single"
        self.given = _named(at, self.kind)
        points = {name: _point(name, value, alone=self.kind == "single") for name, value in self.given.items()}
        self.points = {name: point for name, point in points.items() if point is not None}
        if not self.points:
            raise errors.nothing_moves(list(self.given))

    def call(self, function: Callable[..., Any], moved: Mapping[str, Array]) -> Any:
        """Call a function with some arguments moved."""
        values = {name: self._value(name, moved.get(name)) for name in self.given}
        return function(**values) if self.kind == "dict" else function(*values.values())

    def _value(self, name: str, moved: Array | None) -> Any:
        given, point = self.given[name], self.points.get(name)
        if point is None:
            return given.copy() if isinstance(given, np.ndarray) else given
        value = np.array(point if moved is None else moved, dtype=point.dtype)
        return (
            value[()] if isinstance(given, np.generic) else value.item() if isinstance(given, (int, float)) else value
        )


def _named(at: Any, kind: str) -> dict[str, Any]:
    if kind == "dict":
        return {str(name): value for name, value in at.items()}
    return {f"argument {k}": value for k, value in enumerate(at)} if kind == "list" else {"x": at}


def _point(name: str, value: Any, *, alone: bool) -> Array | None:
    """Return an argument as an array of floats that can be moved; None if it stays."""
    array = None if isinstance(value, (str, bytes, bool)) else as_numpy(value)
    if array is not None and array.dtype.kind == "f" and 4 <= array.dtype.itemsize <= 8:
        return array
    if array is not None and array.dtype.kind in "iu" and isinstance(value, (int, list, tuple)):
        return array.astype(np.float64)  # as one writes 1 for 1.0
    if alone or (array is not None and array.dtype.kind in "fc"):
        raise errors.point_dtype(name, type(value).__name__ if array is None else array.dtype)
    return None


def as_numpy(value: Any) -> Array | None:
    """Return a value as an array of numbers; None if it is none. A tensor of torch is taken off its tape."""
    for method in ("detach", "cpu"):
        value = getattr(value, method)() if callable(getattr(value, method, None)) else value
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):
        return None
    return array if array.dtype.kind in "fciub" else None


class _Call:
    """A function at its point and around it."""

    def __init__(self, function: Callable[..., Any], arguments: _Arguments, *, pair: bool) -> None:
        """Call the function at the point, which says whether it can be checked there."""
        self._function, self._arguments, self._pair = function, arguments, pair
        self.gradient: Any = None
        try:
            found = arguments.call(function, {})
        except Exception as error:
            raise errors.function_fails("fun", error) from error
        self._here, self.gradient = self._read(found)
        if not np.isfinite(self._here):
            raise errors.function_not_finite(self._here)

    def _read(self, found: Any) -> tuple[Array, Any]:
        """Return the value, an array without axes, and the gradient if it comes with it."""
        gradient = None
        if self._pair:
            if not isinstance(found, (tuple, list)) or len(found) != 2:
                raise errors.no_pair(type(found).__name__)
            found, gradient = found
        array = as_numpy(found)
        if array is None or array.dtype.kind == "c":
            raise errors.function_dtype(type(found).__name__ if array is None else array.dtype)
        if array.size != 1:
            raise errors.function_shape(array.shape)
        return array.reshape(()), gradient

    def __call__(self, moved: Mapping[str, Array]) -> float:
        """Return the value with some arguments moved; NaN where the function fails."""
        try:
            with np.errstate(all="ignore"):
                return float(self._read(self._arguments.call(self._function, moved))[0])
        except _FAILURES:
            return np.nan

    def along(self, name: str) -> Callable[[Array], float]:
        """Return the function of one argument alone."""
        return lambda moved: self({name: moved})

    def precision(self) -> float:
        """Return the distance from 1 to the next number that the function can return: as its dtype and values say."""
        dtype = self._here.dtype
        return float(np.finfo(dtype).eps) if dtype.kind == "f" and dtype.itemsize < 8 else self._shown()

    def _shown(self) -> float:
        """Return the precision of float32 if all values around the point are numbers of float32, else of float64."""
        rng = np.random.default_rng(0)
        values = {float(self._here)}
        for _ in range(_TRIES):
            moved = {
                name: point * (1 + 1e-3 * rng.uniform(-1, 1, point.shape)) + 1e-3 * rng.uniform(-1, 1, point.shape)
                for name, point in self._arguments.points.items()
            }
            values.add(self(moved))
        finite = [value for value in values if np.isfinite(value)]
        with np.errstate(over="ignore"):
            single = all(float(np.float32(value)) == value for value in finite)
        whole = all(value == np.rint(value) for value in finite)
        return _SINGLE if single and not whole and len(finite) > _TRIES // 2 else EPS


def _claims(grad: Any, arguments: _Arguments) -> list[Array]:
    """Return the claimed gradient of each argument that moves."""
    if callable(grad):
        try:
            grad = arguments.call(grad, {})
        except Exception as error:
            raise errors.function_fails("grad", error) from error
    parts = _parts(grad, arguments)
    claims = []
    for name, point in arguments.points.items():
        claim = as_numpy(parts[name])
        if claim is None or claim.dtype.kind == "c":
            raise errors.claim_dtype(name, type(parts[name]).__name__ if claim is None else claim.dtype)
        if claim.shape != point.shape:
            raise errors.claim_shape(name, point.shape, claim.shape)
        claims.append(claim if is_float(claim.dtype) else claim.astype(np.float64))
    return claims


def _parts(grad: Any, arguments: _Arguments) -> dict[str, Any]:
    """Return a gradient by argument; those that stay may be left out, or be None."""
    moving = list(arguments.points)
    if arguments.kind == "single":
        alone = isinstance(grad, tuple) and len(grad) == 1 and np.ndim(grad[0]) == arguments.points["x"].ndim
        return {"x": grad[0] if alone else grad}
    if isinstance(grad, Mapping):
        parts = {str(name): part for name, part in grad.items()}
    elif isinstance(grad, (tuple, list)):
        names = next((known for known in (list(arguments.given), moving) if len(known) == len(grad)), None)
        if names is None:
            raise errors.claim_count(moving, len(grad))
        parts = dict(zip(names, grad, strict=True))
    elif len(moving) == 1:
        parts = {moving[0]: grad}
    else:
        raise errors.claim_count(moving, 1)
    missing = [name for name in moving if parts.get(name) is None]
    if missing:
        raise errors.claim_missing(missing[0], [name for name, part in parts.items() if part is not None])
    return parts
