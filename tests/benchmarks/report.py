"""Tables in Markdown, and what they were measured with."""

import datetime
import importlib.metadata
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from .contest import FAST, Absence, Result, Timing, quartiles

PACKAGES = "numpy", "sympy", "jax", "torch", "pytensor", "autograd", "casadi", "symengine"
UNITS = (1.0, "s"), (1e-3, "ms"), (1e-6, "µs")


def versions() -> dict[str, str]:
    """Return the versions of the packages that are installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def blas() -> str:
    """Return which BLAS NumPy calls, and with how many threads."""
    built: Mapping[str, Any] = np.show_config(mode="dicts")["Build Dependencies"]["blas"]  # type: ignore[index, assignment]
    name = f"{built.get('name', 'unknown')} {built.get('version', '')}".strip()
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return f"{name}, threads as OPENBLAS_NUM_THREADS={os.environ.get('OPENBLAS_NUM_THREADS', 'unset')}"
    threads = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    return f"{name}, {' and '.join(map(str, sorted(set(threads)))) or 'unknown'} thread(s)"


def header() -> str:
    """Return date, machine and versions."""
    simd = np.show_config(mode="dicts")["SIMD Extensions"]  # type: ignore[index]
    found = [*simd.get("baseline", []), *simd.get("found", [])]
    cores = f"{len(os.sched_getaffinity(0))} of {os.cpu_count()} cores"
    machine = f"{cores} ({platform.machine()}, SIMD {found[-1] if found else 'none'})"
    packages = ", ".join(f"{name} {version}" for name, version in versions().items())
    return (
        f"{datetime.date.today()}; {platform.system()}, {machine}; {platform.python_implementation()}"
        f" {platform.python_version()}, {packages}; BLAS: {blas()}."
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown, its first column set left, the others right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def time_cell(timing: Timing) -> str:
    """Return the median of the times with its quartiles."""
    low, middle, high = quartiles(timing.seconds)
    scale, unit = next(((scale, unit) for scale, unit in UNITS if middle >= scale), UNITS[-1])
    return f"{middle / scale:.3g} ({low / scale:.3g}–{high / scale:.3g}) {unit}"


def ratio_cell(figure: Timing | Absence | None) -> str:
    """Return the median of the ratios with its quartiles; a dash for who is absent."""
    if not isinstance(figure, Timing):
        return "–"
    low, middle, high = quartiles(figure.ratios)
    return f"{middle:.2f} ({low:.2f}–{high:.2f})"


def times(results: Sequence[Result], title: str = "task") -> str:
    """Return the table of contests: the time of the first contestant, the ratios of the others to it."""
    names = list(dict.fromkeys(name for result in results for name in result.figures))
    aims = any(result.contest.aim is not None for result in results)
    rows = []
    for result in results:
        first = result.figures[names[0]]
        cells = [result.contest.name, time_cell(first) if isinstance(first, Timing) else "–"]
        cells += [ratio_cell(result.figures.get(name)) for name in names[1:]]
        rows.append([*cells, f"{result.contest.aim or ''}"] if aims else cells)
    head = [title, *names]
    return table([*head, f"aim of {FAST}"] if aims else head, rows) + absences(results)


def absences(results: Sequence[Result]) -> str:
    """Return why contestants are absent, under a table."""
    reasons: dict[str, list[str]] = {}
    for result in results:
        for name, figure in result.figures.items():
            if isinstance(figure, Absence):
                reasons.setdefault(f"{name}: {figure.reason}", []).append(result.contest.name)
    if not reasons:
        return ""
    said = [
        reason if len(rows) == len(results) else f"{reason} ({'; '.join(rows)})" for reason, rows in reasons.items()
    ]
    return "\n\nAbsent: " + ". ".join(said) + "."


def peaks(rows: Mapping[str, Mapping[str, int | Absence]]) -> str:
    """Return the table of peak memory: megabytes of the first contestant, ratios of the others."""
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    lines = []
    for task, row in rows.items():
        first = row[names[0]]
        assert isinstance(first, int), "the hand-written program is always there"
        others = [f"{peak / first:.2f}" if isinstance(peak := row.get(name), int) else "–" for name in names[1:]]
        lines.append([task, f"{first / 1e6:.3g} MB", *others])
    return table(["task", *names], lines)


def costs(rows: Mapping[str, tuple[float, float, float] | Absence], title: str) -> str:
    """Return a table of microseconds, medians with quartiles."""
    cells = [
        [name, "–" if isinstance(row, Absence) else f"{row[1]:.2f} ({row[0]:.2f}–{row[2]:.2f})"]
        for name, row in rows.items()
    ]
    return table([title, "µs an argument"], cells)
