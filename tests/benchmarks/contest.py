"""A contest: several programs for one task, first held against each other, then timed in turns."""

import gc
import random
import statistics
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np

Call = Callable[[], Any]
"""One run of a contestant; what it returns is ready when it returns."""

BY_HAND, READABLE, FAST = "hand-written", "readable", "fast"
SAMPLE_SECONDS = 2e-3
"""A sample repeats short calls until it takes about so long: the clock's own cost and grain vanish in it."""


class AbsentError(Exception):
    """A contestant cannot take part; its message says why."""


class DisagreementError(Exception):
    """Two contestants computed different numbers: their times would mean nothing."""


class Contest(NamedTuple):
    """One row of a table.

    Attributes:
        name: What the row is called.
        build: How each contestant is set up, by name; the first is the one that ratios refer to. Setting up
            compiles; it raises `AbsentError` if the contestant cannot take part.
        aim: The most that the ratio of symback's fast style shall be.
        tolerance: How far results may be apart, relative to the largest entry of each array.
        common: How many of the first results all contestants have in common; by default all.
    """

    name: str
    build: Mapping[str, Callable[[], Call]]
    aim: float | None = None
    tolerance: float = 1e-9
    common: int | None = None


class Timing(NamedTuple):
    """What was measured of one contestant: seconds a call, and its ratios to the first contestant, round by round."""

    seconds: list[float]
    ratios: list[float]


class Absence(NamedTuple):
    """Why a contestant has no figures."""

    reason: str


def leaves(result: Any) -> list[np.ndarray]:
    """Return the numbers in a nested result as arrays, in order."""
    if isinstance(result, Mapping):
        result = list(result.values())
    if isinstance(result, (list, tuple)):
        return [leaf for part in result for leaf in leaves(part)]
    return [np.asarray(result)]


def distance(result: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest difference of two arrays, relative to the largest entry of the expected one."""
    if result.size != expected.size:
        return np.inf
    apart = np.max(np.abs(result.reshape(expected.shape) - expected), initial=0.0)
    scale = np.max(np.abs(expected), initial=0.0)
    return float(apart / scale) if scale else float(apart)


def hold_together(name: str, results: Mapping[str, Any], tolerance: float, common: int | None = None) -> float:
    """Return how far all results are from those of the first contestant, at most; of the first few, if so many count.

    Raises:
        DisagreementError: If that is more than the tolerance, or NaN, or if there are more or fewer results.
    """
    (first, expected), *others = ((who, leaves(result)[:common]) for who, result in results.items())
    worst = 0.0
    for who, arrays in others:
        if len(arrays) != len(expected):
            raise DisagreementError(f"{name}: {who} gives {len(arrays)} arrays, {first} gives {len(expected)}")
        for number, (array, reference) in enumerate(zip(arrays, expected, strict=True)):
            apart = distance(array, reference)
            if not apart <= tolerance:
                raise DisagreementError(f"{name}: result {number} of {who} is {apart:.1e} from {first}'s, relatively")
            worst = max(worst, apart)
    return worst


def set_up(contest: Contest, wanted: Iterable[str] | None = None) -> tuple[dict[str, Call], dict[str, Absence]]:
    """Build the contestants that are wanted (all, if none are named), and say which ones cannot take part."""
    calls, absent = {}, {}
    names = contest.build if wanted is None else [name for name in contest.build if name in set(wanted)]
    for name in names:
        try:
            calls[name] = contest.build[name]()
        except AbsentError as reason:
            absent[name] = Absence(str(reason))
    return calls, absent


def seconds_of(call: Call, times: int = 1) -> float:
    """Return how long a call takes, as a mean of so many in a row."""
    start = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - start) / times


def interleave(
    calls: Mapping[str, Call], budget: float, *, least: int = 7, most: int = 301, before: Call | None = None
) -> dict[str, Timing]:
    """Time contestants in turns, each round in an order drawn anew, with the garbage collector off.

    Nobody always follows the same other one, which leaves caches and free memory as it used them.

    Args:
        calls: The contestants, the reference first.
        budget: About how many seconds all of it may take; at least `least` rounds are made.
        least: The fewest rounds.
        most: The most rounds.
        before: What is done before each sample, outside of the time.

    Returns:
        For each contestant a sample for each round, and its ratio to the reference in the same round: what slows a
        whole round down cancels in it.
    """
    names = list(calls)
    once = {name: min(seconds_of(call) for _ in range(2)) for name, call in calls.items()}
    times = {name: max(1, round(SAMPLE_SECONDS / max(once[name], 1e-7))) for name in names}
    rounds = int(budget / max(sum(once[name] * times[name] for name in names), 1e-9))
    samples: dict[str, list[float]] = {name: [] for name in names}
    gc.collect()
    gc.disable()
    try:
        for turn in range(min(max(rounds, least), most)):
            for name in random.Random(turn).sample(names, len(names)):
                if before is not None:
                    before()
                samples[name].append(seconds_of(calls[name], times[name]))
    finally:
        gc.enable()
    reference = samples[names[0]]
    return {
        name: Timing(taken, [one / other for one, other in zip(taken, reference, strict=True)])
        for name, taken in samples.items()
    }


class Result(NamedTuple):
    """What a contest came to: a timing or a reason for each contestant, and how far their numbers were apart."""

    contest: Contest
    figures: dict[str, Timing | Absence]
    apart: float


def hold(
    contest: Contest, budget: float, wanted: Iterable[str] | None = None, *, least: int = 7, before: Call | None = None
) -> Result:
    """Hold a contest: set up, compare the numbers, time (see `interleave`).

    Raises:
        DisagreementError: If contestants do not compute the same.
    """
    calls, absent = set_up(contest, wanted)
    results = {name: call() for name, call in calls.items()}
    apart = hold_together(contest.name, results, contest.tolerance, contest.common)
    del results
    figures = {**absent, **interleave(calls, budget, least=least, before=before)}
    return Result(contest, {name: figures[name] for name in contest.build if name in figures}, apart)


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """Return the lower quartile, the median and the upper quartile."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, middle, high
