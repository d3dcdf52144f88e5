"""Run random graphs and print what was found: ``python -m tests.fuzzing --count 100000 --processes 2 --seed 0``.

Every example has a seed of its own, from the first one on; ``python -m tests.fuzzing --show SEED`` prints one with all
its checks. A finding never stops the run.
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

from symback.op.public import FUNCTIONS  # noqa: E402 - NumPy reads the number of threads when it is imported
from symback.op.table import PRIMITIVES  # noqa: E402

from .checks import CHECKS, examine  # noqa: E402
from .coverage import covered, functions_of  # noqa: E402
from .graphs import seeded_graph  # noqa: E402
from .patience import SECONDS, TooSlowError, patience  # noqa: E402

_CHUNK = 250
_MOST_SHOWN = 6000


class Tally(NamedTuple):
    """What came out of a range of seeds."""

    outcomes: Counter[tuple[str, str]]
    primitives: Counter[str]
    functions: Counter[str]
    seconds: Counter[str]
    findings: list[tuple[int, str, str]]


def arguments(given: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description="Hold random graphs against digits.")
    parser.add_argument("--count", type=int, default=1000, help="how many examples")
    parser.add_argument("--processes", type=int, default=1, help="how many processes share them")
    parser.add_argument("--seed", type=int, default=0, help="of the first example; the others follow")
    parser.add_argument(
        "--only", nargs="+", default=[], choices=sorted(CHECKS), help="make these checks, of each example"
    )
    parser.add_argument("--show", type=int, metavar="SEED", help="print one example, with all its checks")
    return parser.parse_args(given)


def run(first: int, count: int, only: list[str]) -> Tally:
    """Run the examples of so many seeds."""
    tally = Tally(Counter(), Counter(), Counter(), Counter(), [])
    for seed in range(first, first + count):
        try:
            with patience(SECONDS):
                _one(seed, only, tally)
        except TooSlowError:
            tally.outcomes["all", "given up: too slow"] += 1
    return tally


def _one(seed: int, only: list[str], tally: Tally) -> None:
    start = time.process_time()
    try:
        graph = seeded_graph(seed)
    except Exception as error:  # what symback refuses is refused within; anything else is a bug
        tally.findings.append((seed, "building", f"{type(error).__name__}: {error}"))
        return
    tally.primitives.update(covered(graph))
    tally.functions.update(functions_of(graph))
    tally.outcomes["building", f"{len(graph.steps)} steps"] += 1
    tally.outcomes["building", "refused"] += len(graph.refused)
    tally.seconds["building"] += time.process_time() - start
    start = time.process_time()
    for outcome in examine(graph, seed, only):
        tally.outcomes[outcome.check, outcome.word] += 1
        tally.seconds[outcome.check] += time.process_time() - start
        start = time.process_time()
        if outcome.word == "found":
            tally.findings.append((seed, outcome.check, outcome.detail))


def parts(first: int, count: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of seeds: the first one and how many."""
    for start in range(first, first + count, _CHUNK):
        yield start, min(_CHUNK, first + count - start)


def tallies(options: argparse.Namespace) -> Iterator[Tally]:
    """Yield what comes out, part by part, in order."""
    ranges = list(parts(options.seed, options.count))
    if options.processes == 1:
        yield from (run(start, count, options.only) for start, count in ranges)
        return
    with ProcessPoolExecutor(options.processes) as pool:
        firsts, counts = zip(*ranges, strict=True)
        yield from pool.map(run, firsts, counts, [options.only] * len(ranges))


def main(given: list[str]) -> int:
    """Run, print findings as they come and counts at the end; 1 if there are findings."""
    options = arguments(given)
    if options.show is not None:
        return show(options.show, options.only)
    start = time.perf_counter()
    total = Tally(Counter(), Counter(), Counter(), Counter(), [])
    for number, tally in enumerate(tallies(options), 1):
        for known, new in zip(total[:4], tally[:4], strict=True):
            known.update(new)
        total.findings.extend(tally.findings)
        for seed, check, detail in tally.findings:
            print(f"\n== seed {seed}: {check}\n{detail[:_MOST_SHOWN]}")
        done = min(number * _CHUNK, options.count)
        print(f"{done} examples, {len(total.findings)} findings, {time.perf_counter() - start:.0f} s", flush=True)
    summary(total, options.count, time.perf_counter() - start)
    return 1 if total.findings else 0


def summary(total: Tally, count: int, seconds: float) -> None:
    """Print counts for each check, and how often each primitive and each function was met."""
    print(f"\n{count} examples in {seconds:.0f} s; CPU {sum(total.seconds.values()) / count * 1e3:.1f} ms an example")
    for check in dict.fromkeys(name for name, _ in total.outcomes):
        words = {word: number for (name, word), number in sorted(total.outcomes.items()) if name == check}
        made = sum(words.values())
        print(f"\n{check}: {made}, {total.seconds[check] / max(made, 1) * 1e3:.1f} ms each")
        print("\n".join(f"  {number:8d}  {word}" for word, number in words.items()))
    own = [entry.name for entry in FUNCTIONS.values() if entry.primitive is None]
    for title, counts, names in (
        ("primitives", total.primitives, [*PRIMITIVES]), ("functions made of them", total.functions, own),
    ):  # fmt: skip
        rarest = sorted((counts[name], name) for name in names)
        shown = ", ".join(f"{name} {number}" for number, name in rarest[:8])
        print(f"\n{len(names)} {title}: {sum(counts.values())} met; the rarest: {shown}")
    print(f"\nfindings: {len(total.findings)}; seeds {sorted({seed for seed, _, _ in total.findings})}")


def show(seed: int, only: list[str]) -> int:
    """Print one example and the outcome of every check."""
    graph = seeded_graph(seed)
    print(graph)
    found = 0
    for outcome in examine(graph, seed, only or list(CHECKS)):
        print(f"{outcome.check}: {outcome.word}{chr(10) + outcome.detail if outcome.detail else ''}")
        found |= outcome.word == "found"
    return int(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
