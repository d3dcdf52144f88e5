"""Scalar programs of the size that robotics has, written once for SymPy, NumPy and JAX alike."""

from collections.abc import Sequence
from functools import reduce
from operator import mul
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np


class Formula(NamedTuple):
    """A program of scalars.

    Attributes:
        name: What it is called.
        program: From a namespace (``sin``, ``cos``, ``sqrt``) and the arguments, one by one, to a scalar or a list.
        names: Of the arguments.
        wrt: How many of the arguments, the first ones, are differentiated by.
        low: The arguments are drawn from here
        high: to here.
    """

    name: str
    program: Any
    names: Sequence[str]
    wrt: int
    low: float = 0.5
    high: float = 1.5


def speelpenning(count: int) -> Formula:
    """Return the product of all arguments (Speelpenning, "Compiling fast partial derivatives", 1980)."""

    def program(names: SimpleNamespace, *x: Any) -> Any:
        return reduce(mul, x)

    return Formula(f"Speelpenning {count}, gradient", program, [f"x{k}" for k in range(count)], count)


def reprojection() -> Formula:
    """Return the residual of bundle adjustment: a point seen by a camera (as in Srajer et al., "ADBench", 2018)."""
    names = ["r1", "r2", "r3", "c1", "c2", "c3", "f", "u0", "v0", "k1", "k2", "x", "y", "z", "w", "u", "v"]
    return Formula("reprojection, Jacobian 2 x 15", _reprojection, names, 15)


def _reprojection(
    names: SimpleNamespace, r1: Any, r2: Any, r3: Any, c1: Any, c2: Any, c3: Any, f: Any, u0: Any, v0: Any, k1: Any,
    k2: Any, x: Any, y: Any, z: Any, w: Any, u: Any, v: Any,
) -> list[Any]:  # fmt: skip
    angle = names.sqrt(r1 * r1 + r2 * r2 + r3 * r3)
    axis = [r1 / angle, r2 / angle, r3 / angle]
    point = [x - c1, y - c2, z - c3]
    sine, cosine = names.sin(angle), names.cos(angle)
    along = _dot(axis, point) * (1 - cosine)
    turned = [p * cosine + c * sine + a * along for p, c, a in zip(point, _cross(axis, point), axis, strict=True)]
    a, b = turned[0] / turned[2], turned[1] / turned[2]
    square = a * a + b * b
    bent = 1 + k1 * square + k2 * square * square
    return [w * (f * a * bent + u0 - u), w * (f * b * bent + v0 - v)]


def inverse_dynamics(joints: int = 7) -> Formula:
    """Return the torques of an arm by the recursive Newton-Euler algorithm (Craig, *Introduction to Robotics*, 6.5)."""
    names = [f"{kind}{k}" for kind in ("q", "dq", "ddq") for k in range(joints)]

    def program(functions: SimpleNamespace, *x: Any) -> list[Any]:
        return _torques(functions, x[:joints], x[joints : 2 * joints], x[2 * joints :])

    return Formula(f"inverse dynamics, {joints} joints, Jacobian {joints} x {3 * joints}", program, names, 3 * joints)


_MASSES = (4.0, 3.5, 3.0, 2.5, 1.75, 1.5, 0.5)
_LENGTHS = (0.36, 0.25, 0.42, 0.25, 0.4, 0.125, 0.126)


def _torques(f: SimpleNamespace, q: Sequence[Any], dq: Sequence[Any], ddq: Sequence[Any]) -> list[Any]:
    """Sweep outwards for velocities and forces, and inwards for torques; every other joint is turned by 90 degrees."""
    spin, turning, moving = [0.0] * 3, [0.0] * 3, [0.0, 0.0, 9.81]
    links = []
    for k in range(len(q)):
        rotation, arm = _frame(f, q[k], k), [0.0, 0.0, _LENGTHS[k]]
        moving = _turned(rotation, _plus(moving, _accelerated(turning, spin, arm)))
        spin, turning = _turned(rotation, spin), _turned(rotation, turning)
        axis, faster = [0.0, 0.0, dq[k]], [0.0, 0.0, ddq[k]]
        turning = _plus(_plus(turning, _cross(spin, axis)), faster)
        spin = _plus(spin, axis)
        middle = [0.01 * (k + 1), -0.02, _LENGTHS[k] / 2]
        force = [_MASSES[k] * a for a in _plus(moving, _accelerated(turning, spin, middle))]
        inertia = [0.02 + 0.01 * k, 0.03, 0.01]
        torque = _plus([i * t for i, t in zip(inertia, turning, strict=True)],
                       _cross(spin, [i * s for i, s in zip(inertia, spin, strict=True)]))  # fmt: skip
        links.append((rotation, arm, _plus(torque, _cross(middle, force)), force))
    found, push, twist = [], [0.0] * 3, [0.0] * 3
    for rotation, arm, torque, force in reversed(links):
        twist, push = _plus(torque, twist), _plus(force, push)
        found.append(twist[2])
        push = _turned_back(rotation, push)
        twist = _plus(_turned_back(rotation, twist), _cross(arm, push))
    return found[::-1]


def _frame(f: SimpleNamespace, angle: Any, joint: int) -> list[list[Any]]:
    """Return the rotation into the frame of a joint, row by row."""
    sine, cosine = f.sin(angle), f.cos(angle)
    if joint % 2:
        return [[cosine, 0.0, sine], [-sine, 0.0, cosine], [0.0, -1.0, 0.0]]
    return [[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]]


def _dot(a: Sequence[Any], b: Sequence[Any]) -> Any:
    terms = [x * y for x, y in zip(a, b, strict=True) if not (_is_zero(x) or _is_zero(y))]
    return sum(terms[1:], terms[0]) if terms else 0.0


def _cross(a: Sequence[Any], b: Sequence[Any]) -> list[Any]:
    return [_dot([a[i], -a[j]], [b[j], b[i]]) for i, j in ((1, 2), (2, 0), (0, 1))]


def _is_zero(value: Any) -> bool:
    return isinstance(value, float) and value == 0


def _plus(a: Sequence[Any], b: Sequence[Any]) -> list[Any]:
    return [y if _is_zero(x) else x if _is_zero(y) else x + y for x, y in zip(a, b, strict=True)]


def _turned(rotation: Sequence[Sequence[Any]], vector: Sequence[Any]) -> list[Any]:
    return [_dot(row, vector) for row in rotation]


def _turned_back(rotation: Sequence[Sequence[Any]], vector: Sequence[Any]) -> list[Any]:
    return [_dot(column, vector) for column in zip(*rotation, strict=True)]


def _accelerated(turning: Sequence[Any], spin: Sequence[Any], arm: Sequence[Any]) -> list[Any]:
    return _plus(_cross(turning, arm), _cross(spin, _cross(spin, arm)))


def points_of(formula: Formula, count: int, seed: int = 0) -> list[np.ndarray]:
    """Draw arguments: an array of so many points for each."""
    rng = np.random.default_rng(seed)
    return [rng.uniform(formula.low, formula.high, count) for _ in formula.names]
