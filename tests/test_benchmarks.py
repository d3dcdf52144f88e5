"""The benchmark suite: every task runs at tiny sizes, and all that take part compute the same."""

import importlib
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from types import ModuleType

import numpy as np
import pytest

from benchmarks import (
    attention,
    contest,
    costs,
    elementwise,
    mixture,
    networks,
    peers,
    report,
    second_order,
    second_order_peers,
)
from benchmarks.contest import BY_HAND, FAST, READABLE, AbsentError, Contest, DisagreementError
from benchmarks.suite import PARTS, Suite

TASKS = [task for family in (networks, elementwise, mixture, attention) for task in family.tasks("tiny")]
OF_PEERS = [networks.tasks("tiny")[1], elementwise.tasks("tiny")[-1]]

SECOND_ORDER = second_order.tasks("tiny")

every_task = pytest.mark.parametrize("task", TASKS, ids=[task.name for task in TASKS])


@every_task
@pytest.mark.parametrize("style", [READABLE, FAST])
def test_symback_computes_what_the_hand_written_program_does(task: peers.Task, style: str) -> None:
    calls, absent = contest.set_up(peers.contest(task), [BY_HAND, style])
    assert not absent
    results = {name: call() for name, call in calls.items()}
    assert contest.hold_together(task.name, results, 1e-12) <= 1e-12


@pytest.mark.parametrize("task", OF_PEERS, ids=[task.name for task in OF_PEERS])
@pytest.mark.parametrize("peer", ["JAX jit", "torch", "autograd", "CasADi"])
def test_peers_compute_what_the_hand_written_program_does(task: peers.Task, peer: str) -> None:
    calls, absent = contest.set_up(peers.contest(task), [BY_HAND, peer])
    if peer in absent:
        pytest.skip(f"{peer}: {absent[peer].reason}")
    results = {name: call() for name, call in calls.items()}
    contest.hold_together(task.name, results, 1e-12)


@pytest.mark.parametrize("task", SECOND_ORDER, ids=[task.name for task in SECOND_ORDER])
def test_symback_computes_the_hessians_that_are_written_by_hand(task: peers.Task) -> None:
    calls, absent = contest.set_up(second_order_peers.contest(task), [BY_HAND, READABLE, FAST])
    assert not absent
    contest.hold_together(task.name, {name: call() for name, call in calls.items()}, 1e-12)


@pytest.mark.parametrize("task", [SECOND_ORDER[0], SECOND_ORDER[2], SECOND_ORDER[4]], ids=lambda task: task.name)
@pytest.mark.parametrize("peer", ["JAX jit", "torch", "autograd"])
def test_peers_compute_the_hessians_that_are_written_by_hand(task: peers.Task, peer: str) -> None:
    calls, absent = contest.set_up(second_order_peers.contest(task), [BY_HAND, peer])
    if peer in absent:
        pytest.skip(f"{peer}: {absent[peer].reason}")
    contest.hold_together(task.name, {name: call() for name, call in calls.items()}, 1e-12)


def test_who_takes_too_long_for_a_hessian_is_left_out_with_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second_order_peers, "MOST_SECONDS", -1.0)
    monkeypatch.setitem(second_order_peers.PEERS, "slow", lambda task: lambda: 0.0)
    _, absent = contest.set_up(second_order_peers.contest(SECOND_ORDER[0]), ["slow"])
    assert absent["slow"].reason == "one call takes 0 s"


@pytest.mark.parametrize("task", networks.tasks("tiny")[1:], ids=lambda task: task.name)
def test_the_value_alone_is_that_of_the_gradient_program(task: peers.Task) -> None:
    calls, _ = contest.set_up(costs.gradient_over_forward(task), [costs.VALUE, BY_HAND])
    contest.hold_together(task.name, {name: call() for name, call in calls.items()}, 1e-12, 1)


@pytest.mark.parametrize("task", elementwise.tasks("tiny")[1::2], ids=lambda task: task.name)
def test_the_blocked_loop_computes_its_chain_over_several_blocks(task: peers.Task) -> None:
    assert task.data[0].size > elementwise.BLOCK
    computed = elementwise.blocked_call(task)()
    np.testing.assert_allclose(computed, task.by_hand(*task.data), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("part", PARTS)
def test_every_part_gives_a_table(part: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert Suite(0.01, "tiny", [READABLE, FAST], least=2).run([part]) == 0
    printed = capsys.readouterr().out
    title, _ = PARTS[part]
    assert f"## {title}" in printed
    assert any(line.startswith("| ---") for line in printed.splitlines())


def pair(other: Callable[[], object]) -> Contest:
    return Contest("pair", {"one": lambda: lambda: (1.0, [np.ones(3)]), "other": lambda: other})


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ((1.0, [np.ones(3) * (1 + 1e-6)]), "result 1 of other is 1.0e-06"),
        ((np.nan, [np.ones(3)]), "result 0 of other is nan"),
        ((1.0, []), "other gives 1 arrays, one gives 2"),
        ((1.0, [np.ones(4)]), "result 1 of other is inf"),
    ],
)
def test_a_contest_of_different_numbers_has_no_times(result: object, message: str) -> None:
    with pytest.raises(DisagreementError, match=message):
        contest.hold(pair(lambda: result), 0.0)


def test_who_is_not_installed_is_absent_and_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> ModuleType:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(AbsentError, match="not installed"):
        peers.torch_call(TASKS[0])
    held = contest.hold(peers.contest(TASKS[0]), 0.0, [BY_HAND, "torch"])
    assert "Absent: torch: not installed." in report.times([held])


def test_contestants_take_turns_and_each_round_has_its_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contest, "SAMPLE_SECONDS", 0.0)
    order: list[str] = []
    timings = contest.interleave({name: partial(order.append, name) for name in "abc"}, 0.0, least=12)
    rounds = ["".join(order[place : place + 3]) for place in range(6, len(order), 3)]
    assert {"".join(sorted(names)) for names in rounds} == {"abc"}
    assert {after for names in rounds for before, after in pairwise(names) if before == "a"} == {"b", "c"}
    assert {len(timing.seconds) for timing in timings.values()} == {len(rounds)} == {12}
    assert timings["a"].ratios == [1.0] * 12


def test_the_peak_of_memory_counts_what_is_kept_and_what_passes() -> None:
    def build() -> Callable[[], np.ndarray]:
        return lambda: np.ones(100_000) + np.ones(100_000)

    assert 1_600_000 <= costs.peak_bytes(build) <= 2_500_000
