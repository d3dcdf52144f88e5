"""The parts of the suite: which contests there are, and the table of each."""

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from . import attention, costs, elementwise, mixture, networks, points, report, second_order, second_order_peers
from .contest import BY_HAND, FAST, READABLE, Call, Contest, DisagreementError, Result, hold
from .peers import Task, contest

BLOCKED = "blocked by hand"


class Suite:
    """Runs parts of the suite and prints their tables.

    Args:
        seconds: About how long each row may take.
        scale: ``"full"`` or ``"tiny"``.
        only: The contestants that take part, besides the hand-written one; all, if none are named.
        least: The fewest rounds of a contest.
    """

    def __init__(
        self, seconds: float, scale: str = "full", only: Sequence[str] | None = None, *, least: int = 7
    ) -> None:
        self._seconds, self._scale, self._least = seconds, scale, least
        self._wanted = None if only is None else [BY_HAND, costs.VALUE, *only]
        self._failures: list[str] = []

    def run(self, names: Iterable[str]) -> int:
        """Print the header and the tables of the parts; return 1 if contestants disagreed anywhere, else 0."""
        print(report.header(), end="\n\n")
        for name in names:
            title, part = PARTS[name]
            print(f"## {title}\n\n{part(self)}\n", flush=True)
        for failure in self._failures:
            print(f"FAILED: {failure}")
        return 1 if self._failures else 0

    def _hold(self, contests: Iterable[Contest], *, before: Call | None = None) -> list[Result]:
        results = []
        for one in contests:
            print(one.name, file=sys.stderr, flush=True)
            try:
                results.append(hold(one, self._seconds, self._wanted, least=self._least, before=before))
            except DisagreementError as failure:
                self._failures.append(str(failure))
        return results

    def _times(self, contests: Iterable[Contest]) -> str:
        before = len(self._failures)
        results = self._hold(contests)
        apart = max((result.apart for result in results), default=0.0)
        said = f"\n\nAll results agree to {apart:.1e} of the largest entry of each array."
        failures = "".join(f"\n\nNo times, as the results differ: {failure}." for failure in self._failures[before:])
        return (report.times(results) + said if results else "") + failures

    def networks(self) -> str:
        """Return the table of the networks."""
        return self._times(map(contest, networks.tasks(self._scale)))

    def elementwise(self) -> str:
        """Return the table of the elementwise chains, with a blocked loop beside them."""
        return self._times(
            contest(task, **{BLOCKED: partial(elementwise.blocked_call, task)})
            for task in elementwise.tasks(self._scale)
        )

    def mixture(self) -> str:
        """Return the table of the Gaussian mixture."""
        return self._times(map(contest, mixture.tasks(self._scale)))

    def attention(self) -> str:
        """Return the table of the attention block."""
        return self._times(map(contest, attention.tasks(self._scale)))

    def second_order(self) -> str:
        """Return the tables of Hessians and of Hessian-vector products."""
        return self._times(map(second_order_peers.contest, second_order.tasks(self._scale)))

    def scalars(self) -> str:
        """Return the table of scalar programs with their derivatives at many points."""
        self._wanted = None if self._wanted is None else [*self._wanted, points.SYMBACK, points.SYMPY]
        return self._times(points.contest(*one) for one in points.formulas(self._scale))

    def derive(self) -> str:
        """Return the table of the time to derive and compile what is of second order."""
        tasks = second_order.tasks(self._scale)
        return report.times(self._hold(map(second_order_peers.compiling, tasks), before=costs.forget))

    def forward(self) -> str:
        """Return the table of value and gradient over the value alone."""
        batches = [task for task in networks.tasks(self._scale) if task.value is not None]
        return self._times(map(costs.gradient_over_forward, batches))

    def compile(self) -> str:
        """Return the table of the time to a first result."""
        (task,) = (task for task in networks.tasks(self._scale)[-1:])
        return report.times(self._hold([costs.compiling(task)], before=costs.forget))

    def memory(self) -> str:
        """Return the table of peak memory."""
        return report.peaks({task.name: costs.memory(contest(task), self._wanted) for task in self._large()})

    def _large(self) -> list[Task]:
        tasks = [*networks.tasks(self._scale)[1:], elementwise.tasks(self._scale)[-1]]
        tasks += [mixture.tasks(self._scale)[-1], attention.tasks(self._scale)[-1]]
        return tasks if self._scale == "full" else tasks[-1:]

    def checks(self) -> str:
        """Return the table of what the checks of arguments cost."""
        task = networks.tasks(self._scale)[0]
        return report.costs(costs.checks(task, (READABLE, FAST), self._seconds), f"{task.name}, style")


PARTS: dict[str, tuple[str, Callable[[Suite], str]]] = {
    "networks": ("Networks: value and gradient", Suite.networks),
    "elementwise": ("Entry by entry", Suite.elementwise),
    "mixture": ("Gaussian mixture: value and gradient", Suite.mixture),
    "attention": ("Attention: value and gradient", Suite.attention),
    "second_order": ("Second order: Hessians, and their products with a direction", Suite.second_order),
    "scalars": ("Scalar programs: values and derivatives at many points", Suite.scalars),
    "derive": ("Second order: to derive and compile", Suite.derive),
    "forward": ("Value and gradient over the value alone", Suite.forward),
    "compile": ("From the program text to the first result", Suite.compile),
    "memory": ("Peak memory", Suite.memory),
    "checks": ("Checks of arguments", Suite.checks),
}
"""The parts by name: the heading, and what gives the table."""
