"""Pictures of a gradient check: differences over their steps, a histogram of the errors, the Taylor remainders."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from symback.errors.gradient_report import no_matplotlib

EPS = float(np.finfo(np.float64).eps)

_STEPS = np.logspace(-16, -0.5, 63)
_BINS = 30
_WIDTH, _HEIGHT = 4.6, 3.6


class Probe(NamedTuple):
    """A loss along one line, from which the plot takes the errors of differences of all steps.

    Attributes:
        name: The variable, and the direction if it is not the only one: what the plot calls it.
        line: The loss as a function of the distance from the point.
        slope: Its derivative at 0, as good as it is known.
        scale: The size of the point along the line.
        complex_line: The imaginary part of the loss at an imaginary distance, for the complex step; None where the
            graph is not analytic.
    """

    name: str
    line: Callable[[float], float]
    slope: float
    scale: float
    complex_line: Callable[[float], float] | None = None


def figure_of(rows: Sequence[Any], probe: Probe | None, order: int) -> Any:
    """Draw what is known of a gradient check.

    Args:
        rows: The rows of the report.
        probe: A line to take differences along; None leaves that picture out.
        order: The order of the derivatives that were checked.

    Returns:
        A figure of matplotlib.

    Raises:
        UsageError: If matplotlib is not installed.
    """
    try:
        from matplotlib import pyplot
    except ImportError:
        raise no_matplotlib() from None
    pictures: list[Callable[[Any], None]] = []
    if probe is not None:
        pictures.append(lambda axes: _draw_steps(axes, probe))
    if any(row.spread for row in rows):
        pictures.append(lambda axes: _draw_errors(axes, rows))
    if any(row.curve for row in rows):
        pictures.append(lambda axes: _draw_remainders(axes, rows, order))
    size = (_WIDTH * max(1, len(pictures)), _HEIGHT)
    figure, axes = pyplot.subplots(1, max(1, len(pictures)), figsize=size, squeeze=False, layout="constrained")
    for each, draw in zip(axes[0], pictures, strict=False):
        draw(each)
    if not pictures:
        axes[0, 0].set_axis_off()
        axes[0, 0].text(0.5, 0.5, "nothing was compared", ha="center")
    return figure


def errors_of_steps(probe: Probe, steps: Sequence[float]) -> dict[str, list[float]]:
    """Return the relative errors of each kind of difference over the steps, absolute ones where the slope is 0.

    Args:
        probe: The line.
        steps: The steps, in parts of its scale.
    """

    def size(value: float) -> float:
        return abs(value - probe.slope) / (abs(probe.slope) or 1.0)

    kinds: dict[str, Callable[[float], float]] = {"forward": lambda h: (line(h) - line(0.0)) / h}
    kinds["central"] = lambda h: (line(h) - line(-h)) / (2 * h)
    kinds["five-point"] = lambda h: (8 * (line(h) - line(-h)) - (line(2 * h) - line(-2 * h))) / (12 * h)
    line, imaginary = probe.line, probe.complex_line
    if imaginary is not None:
        kinds["complex step"] = lambda h: imaginary(h) / h
    with np.errstate(all="ignore"):
        return {kind: [size(slope(h * probe.scale)) for h in steps] for kind, slope in kinds.items()}


def fitted_slope(curve: Sequence[tuple[float, float]]) -> float:
    """Return the power of the step with which remainders fall, from those above the floor of rounding."""
    falling: list[tuple[float, float]] = []
    for step, remainder in sorted(curve, reverse=True):
        if not (remainder > 0 and math.isfinite(remainder)) or (falling and remainder >= falling[-1][1]):
            break
        falling.append((step, remainder))
    if len(falling) < 2:
        return math.nan
    steps, remainders = np.log(np.array(falling)).T
    return float(np.median(np.diff(remainders) / np.diff(steps)))


def _draw_steps(axes: Any, probe: Probe) -> None:
    for kind, found in errors_of_steps(probe, [float(step) for step in _STEPS]).items():
        axes.loglog(_STEPS * probe.scale, np.maximum(found, EPS / 4), ".-", markersize=3, linewidth=1, label=kind)
    axes.set(title=f"differences along {probe.name}", xlabel="step", ylabel="relative error")
    axes.legend(fontsize="small")


def _draw_errors(axes: Any, rows: Sequence[Any]) -> None:
    ulps = all(row.max_ulps is not None for row in rows if row.spread)
    shown = [(f"{row.name}, {row.method}", np.asarray(row.spread, dtype=float)) for row in rows if row.spread]
    sizes = np.concatenate([errors[np.isfinite(errors) & (errors > 0)] for _, errors in shown])
    low, high = (float(sizes.min()), float(sizes.max())) if sizes.size else (EPS, 1.0)
    low = max(low / 2, high * 1e-18)
    bins = np.logspace(math.log10(low), math.log10(2 * high), _BINS)
    labels = [_counted(label, errors) for label, errors in shown]
    axes.hist([np.clip(errors[np.isfinite(errors)], low, None) for _, errors in shown], bins=bins, label=labels)
    axes.set_xscale("log")
    axes.set(title="errors of the entries", ylabel="entries")
    axes.set_xlabel("units in the last place" if ulps else "in parts of the largest derivative")
    axes.legend(fontsize="small")


def _counted(label: str, errors: Any) -> str:
    exact, lost = int(np.sum(errors == 0)), int(np.sum(~np.isfinite(errors)))
    return label + (f", {exact} exact" if exact else "") + (f", {lost} not finite" if lost else "")


def _draw_remainders(axes: Any, rows: Sequence[Any], order: int) -> None:
    for row in rows:
        if row.curve:
            steps, remainders = np.array(sorted(row.curve)).T
            label = f"{row.name}: falls as h^{fitted_slope(row.curve):.2f}"
            (line,) = axes.loglog(steps, np.maximum(remainders, 1e-300), ".-", label=label)
            expected = remainders[-1] * (steps / steps[-1]) ** (order + 1)
            axes.loglog(steps, np.maximum(expected, 1e-300), ":", color=line.get_color(), linewidth=1)
    axes.set(title="Taylor remainders", xlabel="h", ylabel=f"remainder (dotted: h^{order + 1})")
    axes.legend(fontsize="small")
