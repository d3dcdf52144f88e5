"""Measure both rates: ``python -m tests.benchmarks.verdicts [ways] [--count N] [--again WAY:right:NUMBER]``."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))  # the models and programs that the tests share

from .asking import NOT_TAKEN, UNDECIDED, WAYS, Outcome, trial
from .peers import ask_peers, installed
from .rates import by_kind, listed, table


def arguments(given: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.verdicts", description="Count wrong verdicts.")
    parser.add_argument("ways", nargs="*", choices=[*WAYS, "peers", []], help="ways of asking; all, if none are named")
    parser.add_argument("--count", type=int, default=1000, help="right gradients, and wrong ones, for each way")
    parser.add_argument("--seed", type=int, default=0, help="another seed draws other gradients")
    parser.add_argument("--start", type=int, default=0, help="the number of the first trial")
    parser.add_argument("--again", help="one trial, as the list of wrong verdicts names it: graph:wrong:17")
    return parser.parse_args(given)


def outcomes(way: Callable[..., Any], options: argparse.Namespace) -> Iterator[Outcome]:
    """Yield the outcomes of a way, of wrong gradients and of right ones."""
    for number in range(options.start, options.start + options.count):
        for right in (False, True):
            found = trial(way, number, right=right, seed=options.seed)
            yield from found if isinstance(found, list) else [found]


def again(name: str, seed: int) -> None:
    """Run one trial and print all of it."""
    way, which, number = name.split(":")
    found = trial(WAYS[way], int(number), right=which == "right", seed=seed)
    print(found.source, found.kind, f"changed by {found.change:.3e}", found.verdict, found.detail, sep="\n")


def report(name: str, found: list[Outcome], seconds: float) -> None:
    """Print the tables of one way, and what its wrong verdicts were about."""
    print(f"\n== {name}: {len(found)} gradients in {seconds:.0f} s\n")
    print(table(found, lambda o: o.way, total=False))
    if name == "peers":
        for single in (False, True):
            part = [o for o in found if o.single == single]
            print(f"\n{'float32' if single else 'float64'}\n", table(part, lambda o: o.way, total=False), sep="\n")
        missed = Counter(f"{o.way}: {o.detail[:100]}" for o in found if o.verdict == NOT_TAKEN)
        print("\nnot judged:", *(f"{count} {reason}" for reason, count in missed.items()), sep="\n")
    else:
        print("\nwithout float32:\n", table([o for o in found if not o.single], lambda o: o.way), sep="\n")
        print("", by_kind(found), "", listed(found, [UNDECIDED]), sep="\n")


def main(given: list[str]) -> int:
    """Measure what is asked for; 1 if a verdict of symback is wrong."""
    options = arguments(given)
    if options.again:
        again(options.again, options.seed)
        return 0
    everything: list[Outcome] = []
    for name in options.ways or [*WAYS, "peers"]:
        started = time.perf_counter()
        found = list(outcomes(ask_peers if name == "peers" else WAYS[name], options))
        report(name, found, time.perf_counter() - started)
        everything += found if name != "peers" else []
    print("\npeers:", ", ".join(installed()))
    if len(options.ways) != 1:
        print("\n== all ways\n", table(everything, lambda o: o.way), "", by_kind(everything), sep="\n")
    return int(any(o.is_wrong for o in everything))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
