"""Run the benchmarks: ``python -m tests.benchmarks [names] [--seconds S] [--cores C] [--only CONTESTANT …]``."""

import argparse
import os
import sys

PARTS = (
    *("networks", "elementwise", "mixture", "attention", "second_order", "scalars", "derive"),
    *("forward", "compile", "memory", "checks"),
)
THREADS = "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"


def arguments(given: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Print the benchmarks' tables.")
    parser.add_argument("names", nargs="*", choices=[*PARTS, []], help="parts to run; all, if none are named")
    parser.add_argument("--seconds", type=float, default=10.0, help="about how long each row may take")
    parser.add_argument("--cores", type=int, help="cores, and so threads, for everyone; by default all there are")
    parser.add_argument("--only", nargs="+", help="contestants that take part; the hand-written one always does")
    parser.add_argument("--tiny", action="store_true", help="tiny sizes: does everything run?")
    return parser.parse_args(given)


def main(given: list[str]) -> int:
    """Run the parts that are named and print their tables; 1 if contestants disagree."""
    options = arguments(given)
    if options.cores:
        os.environ.update(dict.fromkeys(THREADS, str(options.cores)))
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-options.cores :])
    from .suite import Suite  # libraries count cores when they are imported

    suite = Suite(options.seconds, "tiny" if options.tiny else "full", options.only)
    return suite.run(options.names or PARTS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
