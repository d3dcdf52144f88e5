"""What a gradient costs beside its value, how long compiling takes, what memory is used, what checks cost."""

import gc
import sys
import tracemalloc
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from .contest import BY_HAND, FAST, READABLE, Absence, AbsentError, Call, Contest, interleave, quartiles
from .peers import Task, contest, installed, jax_function, pytensor_function, symback_call

VALUE = "value by hand"


def gradient_over_forward(task: Task) -> Contest:
    """Return the contest of value with gradient against the value alone, written by hand."""
    build = contest(task).build
    programs = {name: build[name] for name in (BY_HAND, READABLE, FAST)}
    forward: dict[str, Callable[[], Call]] = {VALUE: lambda: partial(task.value, *task.data, *task.parameters)}
    return Contest(task.name, forward | programs, aim=2.4, common=1)


def compiling(task: Task) -> Contest:
    """Return the contest of the time from the program text to the first result: each call starts anew."""

    def anew(compiled: Callable[[Task], Callable[..., Any]]) -> Any:
        return compiled(task)(*task.data, *task.parameters)

    def peer(compiled: Callable[[Task], Callable[..., Any]], module: str) -> Call:
        installed(module)
        return partial(anew, compiled)

    build = {
        READABLE: lambda: lambda: symback_call(task)(),
        FAST: lambda: lambda: symback_call(task, "fast")(),
        "JAX jit": partial(peer, jax_function, "jax"),
        "PyTensor": partial(peer, pytensor_function, "pytensor"),
    }
    return Contest(f"{task.name}: to the first result", build)


def forget() -> None:
    """Drop graphs that are no longer used, and what JAX compiled before."""
    gc.collect()
    if "jax" in sys.modules:
        sys.modules["jax"].clear_caches()


def peak_bytes(build: Callable[[], Call]) -> int:
    """Return the most memory in use during a first and a second call, beyond what was there when they began.

    Buffers kept between calls count, as they live through the second one; NumPy reports its arrays to `tracemalloc`.
    """
    call = build()
    gc.collect()
    tracemalloc.start()
    try:
        call()
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def memory(contest: Contest, wanted: Iterable[str] | None = None) -> dict[str, int | Absence]:
    """Return the peak of the memory of each contestant that runs on NumPy."""
    peaks: dict[str, int | Absence] = {}
    for name in (BY_HAND, READABLE, FAST, "autograd"):
        if name in contest.build and (wanted is None or name in set(wanted)):
            try:
                peaks[name] = peak_bytes(contest.build[name])
            except AbsentError as reason:
                peaks[name] = Absence(str(reason))
    return peaks


def checks(task: Task, styles: Iterable[str], budget: float) -> Mapping[str, tuple[float, float, float] | Absence]:
    """Return what the checks cost in each style: quartiles of microseconds for each argument."""
    arguments = len(task.data) + len(task.parameters)
    costs: dict[str, tuple[float, float, float] | Absence] = {}
    for style in styles:
        try:
            calls = {"without": symback_call(task, style), "with": symback_call(task, style, check=True)}
        except AbsentError as reason:
            costs[style] = Absence(str(reason))
            continue
        timings = interleave(calls, budget)
        pairs = zip(timings["with"].seconds, timings["without"].seconds, strict=True)
        costs[style] = quartiles([(one - other) / arguments * 1e6 for one, other in pairs])
    return costs
