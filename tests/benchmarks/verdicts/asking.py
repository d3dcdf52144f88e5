"""Three ways of asking the checker, about right gradients and wrong ones; each trial has a number that repeats it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from symback.check.gradient import check_grad
from symback.derive import reverse
from symback.nodes.node import Node

from .mutants import LEAST, Mutant, draw_mutant
from .problems import Claim, draw_problem, right_claim, wrong_claim
from .settings import RedrawError, Setting, draw_setting

PASSED, FAILED, UNDECIDED, ERROR, NOT_TAKEN = "passed", "failed", "undecided", "error", "not taken"
CORRECT = "correct"
ATTEMPTS = 40


@dataclass(frozen=True)
class Outcome:
    """What a checker said.

    Attributes:
        way: How it was asked, or which checker.
        kind: What is wrong with the gradient; "correct" if nothing is.
        number: Of the trial: with the way it repeats it.
        source: What was differentiated.
        verdict: What the checker said.
        change: How much the gradient is wrong, in parts of its largest entry.
        sees: The smallest error that would have been noticed, as the checker says; NaN if it does not.
        single: Whether float32 is in it.
        is_below_sight: Whether every variable's change is smaller than what its row says that float32 shows.
        detail: The report, or the error.
    """

    way: str
    kind: str
    number: int
    source: str
    verdict: str
    change: float
    sees: float = float("nan")
    single: bool = False
    is_below_sight: bool = False
    detail: str = ""

    @property
    def is_wrong(self) -> bool:
        """Is the verdict wrong: a wrong gradient passed, or a right one failed?"""
        if self.kind == CORRECT:
            return self.verdict in (FAILED, ERROR)
        return self.verdict == ERROR or (self.verdict == PASSED and not (self.single and self.is_below_sight))

    @property
    def again(self) -> str:
        """What repeats the trial."""
        return f"{self.way}:{'right' if self.kind == CORRECT else 'wrong'}:{self.number}"


def verdict_of(report: Any) -> str:
    """Return the verdict of a report in a word."""
    return PASSED if report.passed else FAILED if report.failed else UNDECIDED


def _asked(ask: Callable[[], Any], changes: Sequence[float]) -> dict[str, Any]:
    """Return verdict, sight and the report of a call of the checker, for changes of the variables' gradients."""
    try:
        report = ask()
    except Exception as error:  # a crash on a valid question is an answer to count, not the end of the count
        return {"verdict": ERROR, "detail": f"{type(error).__name__}: {error}"}
    sight = [float(row.sees) for row in report.rows]
    below = len(sight) == len(changes) and all(c <= max(LEAST, s) for c, s in zip(changes, sight, strict=True))
    sees = max(sight, default=float("nan"))
    return {"verdict": verdict_of(report), "sees": sees, "is_below_sight": below, "detail": str(report)}


@contextmanager
def claimed(wrt: Sequence[Node], gradient: Sequence[Node]) -> Iterator[None]:
    """Let the checker find this gradient where it asks for that by `wrt`."""
    right = reverse.grad
    asked = []

    def grad(loss: Node, by: Sequence[Node], **options: Any) -> list[Node]:
        if list(by) != list(wrt):
            return right(loss, by, **options)
        asked.append(loss)
        return list(gradient)

    reverse.grad = grad
    try:
        yield
    finally:
        reverse.grad = right
    if not asked:
        raise AssertionError("the checker did not ask for the gradient that was planted")


def ask_graph(rng: np.random.Generator, number: int, *, right: bool) -> Outcome:
    """Ask for the verdict on a graph with its own symbolic gradient."""
    setting, wrong = _drawn(rng, number, right)

    def ask() -> Any:
        return check_grad(setting.loss, list(setting.wrt), at=dict(setting.point))

    if wrong is None:
        return _outcome("graph", number, setting, None, _asked(ask, []))
    with claimed(setting.wrt, wrong.gradient):
        return _outcome("graph", number, setting, wrong, _asked(ask, wrong.changes))


def ask_numbers(rng: np.random.Generator, number: int, *, right: bool) -> Outcome:
    """Ask about numbers that emitted code computed, in float64 or float32."""
    setting, wrong = _drawn(rng, number, right)
    numbers = setting.numbers(wrong.gradient if wrong else setting.gradient())
    if not all(np.isfinite(value).all() for value in numbers):
        raise RedrawError("not finite in the dtypes of the graph")

    def ask() -> Any:
        return check_grad(setting.loss, list(setting.wrt), at=dict(setting.point), gradient=numbers)

    found = _asked(ask, wrong.changes if wrong else [])
    return _outcome("numbers", number, setting, wrong, found)


def _drawn(rng: np.random.Generator, number: int, right: bool) -> tuple[Setting, Mutant | None]:
    setting = draw_setting(rng, number)
    return setting, None if right else draw_mutant(setting, rng, number)


def _outcome(way: str, number: int, setting: Setting, wrong: Mutant | None, found: Mapping[str, Any]) -> Outcome:
    kind, size = (wrong.kind, max(wrong.changes)) if wrong else (CORRECT, 0.0)
    single = way == "numbers" and any(x.dtype == np.float32 for x in setting.point)
    return Outcome(way, kind, number, setting.source, change=size, single=single, **found)


def draw_claim(rng: np.random.Generator, number: int, *, right: bool) -> Claim:
    """Draw a plain function with a claimed gradient."""
    problem = draw_problem(rng, number)
    return right_claim(problem) if right else wrong_claim(problem, rng, number)


def ask_functions(rng: np.random.Generator, number: int, *, right: bool) -> Outcome:
    """Ask about a plain function and its gradient by hand."""
    claim = draw_claim(rng, number, right=right)
    problem = claim.problem
    changes = [claim.change] if claim.kind else []
    found = _asked(lambda: check_grad(fun=problem.fun, grad=claim.gradient, at=problem.point), changes)
    return outcome_of("functions", claim, number, found)


def outcome_of(way: str, claim: Claim, number: int, found: Mapping[str, Any]) -> Outcome:
    """Return an outcome on a claim."""
    single = claim.problem.point.dtype == np.float32
    kind = claim.kind or CORRECT
    return Outcome(way, kind, number, claim.problem.source, change=claim.change, single=single, **found)


WAYS: Mapping[str, Callable[..., Outcome]] = {
    "graph": ask_graph,
    "numbers": ask_numbers,
    "functions": ask_functions,
}


def trial(way: Callable[..., Any], number: int, *, right: bool, seed: int = 0) -> Any:
    """Run one trial; what will not do is drawn again."""
    for attempt in range(ATTEMPTS):
        rng = np.random.default_rng([seed, number, int(right), attempt])
        try:
            found = way(rng, number + attempt // 8 * 96, right=right)  # some have a gradient of zero, whatever is done
        except RedrawError:
            continue
        if isinstance(found, list):
            return [replace(outcome, number=number) for outcome in found]
        return replace(found, number=number)
    raise RedrawError(f"trial {number}: nothing that will do in {ATTEMPTS} attempts")
