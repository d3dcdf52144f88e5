"""Functions whose source is written into complete modules: they hold a gradient against differences of the loss.

Lines are at most 88 characters long, as those of emitted modules are.
"""

import numpy as np


def _slope(function):
    """Return the derivative at 0 of a function of one number, and how uncertain it is.

    Central differences with steps from 1/8 to 2**-16, of fourth order by Richardson's
    extrapolation: the one that halving the step changes least, and that change.
    """
    steps = 2.0 ** -np.arange(3, 17)
    with np.errstate(all="ignore"):
        central = [(function(h) - function(-h)) / (2 * h) for h in steps]
        slopes = (4 * np.array(central[1:]) - np.array(central[:-1])) / 3
        changes = np.nan_to_num(np.abs(np.diff(slopes)), nan=np.inf)
    best = int(np.argmin(changes))
    return float(slopes[best + 1]), float(changes[best])


def _directions_of(value, symmetric):
    """Return directions to differentiate along: all axes, or random ones if many."""
    if value.size <= 20:
        directions = np.eye(value.size)
    else:
        random = np.random.default_rng(0)
        directions = random.normal(size=(20, value.size))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    directions = directions.reshape(-1, *value.shape)
    if symmetric:
        directions = (directions + np.swapaxes(directions, -1, -2)) / 2
    return directions


def _gradient_error(loss, values, name, gradient, symmetric=False):
    """Return the largest error of a gradient, relative to the largest derivative.

    An error may be the square root of the unit roundoff, relative to that, and what
    the differences leave uncertain: ten times the change that they show, and what
    rounding of the loss makes of them. If they do not settle, or rounding hides what
    they should show, nothing is proven. A symmetric matrix is moved as such.
    """
    gradient = np.array(gradient)
    value = np.asarray(values[name], dtype=gradient.dtype)
    if gradient.shape != value.shape:
        shapes = f"shape {gradient.shape}, wanted {value.shape}"
        raise AssertionError(f"{name}: the gradient is wrong, it has {shapes}")
    unit = float(np.finfo(gradient.dtype).eps)
    rounding = 1000 * unit * abs(float(loss(**values)))
    rows = []
    for direction in _directions_of(value, symmetric):

        def moved(step, direction=direction):
            there = (value + step * direction).astype(gradient.dtype)[()]
            return float(loss(**{**values, name: there}))

        rows.append((float(np.vdot(gradient, direction)), *_slope(moved)))
    wanted, found, uncertain = np.array(rows).reshape(-1, 3).T
    scale = max(np.max(np.abs(wanted), initial=0), np.max(np.abs(found), initial=0))
    errors = np.abs(wanted - found)
    if rounding > (min(0.01, 1000 * np.sqrt(unit)) * scale or np.sqrt(unit)):
        hidden = f"rounding of the loss may change them by {rounding:.1e}"
        raise AssertionError(f"{name}: differences prove nothing here: {hidden}")
    if not np.all(10 * uncertain <= 0.01 * scale + rounding):
        raise AssertionError(f"{name}: differences of the loss do not settle here")
    if not np.all(errors <= np.sqrt(unit) * scale + 10 * uncertain + rounding):
        worst = f"relative error {float(np.max(errors / scale)):.1e}"
        raise AssertionError(f"{name}: the gradient is wrong, {worst}")
    return float(np.max(errors, initial=0) / scale) if scale else 0.0


FUNCTIONS = (_slope, _directions_of, _gradient_error)
"""What the check of a gradient needs, each behind what it calls."""
