"""The checker's verdicts on a small sample of right and wrong gradients; the whole is run by `benchmarks.verdicts`."""

import json
from types import SimpleNamespace

import numpy as np
import pytest

import symback as sb
from benchmarks.verdicts import asking, mutants, peers, problems, rates, settings
from benchmarks.verdicts.__main__ import arguments, main
from benchmarks.verdicts.asking import CORRECT, FAILED, PASSED, UNDECIDED, WAYS, Outcome, trial
from symback.op.table import PRIMITIVES

SAMPLE = range(4)


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
@pytest.mark.parametrize("way", WAYS)
def test_no_verdict_of_a_small_sample_is_wrong(way, right):
    found = [trial(WAYS[way], number, right=right) for number in SAMPLE]
    assert not rates.listed(found)
    assert sum(o.verdict == (PASSED if right else FAILED) for o in found) >= len(found) - 1


@pytest.mark.parametrize("number", [139, 373])
def test_a_step_that_is_near_a_period_of_a_wave_does_not_fail_its_gradient(number):
    assert trial(WAYS["functions"], number, right=True).verdict != FAILED


@pytest.mark.parametrize("kind", mutants.MUTATIONS)
def test_every_mistake_is_drawn_and_changes_the_gradient_by_what_is_measured(kind):
    numbers = [number for number in range(200) if list(mutants.MUTATIONS)[number % len(mutants.MUTATIONS)] == kind]

    def draw(rng, number, *, right):
        setting = settings.draw_setting(rng, number)
        if setting.large:
            raise settings.RedrawError("slow")
        return SettingAndMutant(setting, mutants.draw_mutant(setting, rng, number))

    found = next(m for m in (draw_first(draw, number) for number in numbers) if m and m.mutant.kind == kind)
    right, wrong = found.setting.values(found.setting.gradient()), found.setting.values(found.mutant.gradient)
    assert settings.changes(right, wrong) == found.mutant.changes
    assert max(found.mutant.changes) > mutants.LEAST


class SettingAndMutant(SimpleNamespace):
    def __init__(self, setting, mutant):
        super().__init__(setting=setting, mutant=mutant)


def draw_first(draw, number):
    try:
        return draw(np.random.default_rng(number), number, right=False)
    except settings.RedrawError:
        return None


def test_a_declaration_is_as_it_was_after_a_wrong_rule():
    before = dict(PRIMITIVES)
    x = sb.tensor("x", (3,))
    setting = settings.Setting("tanh", sb.sum(sb.tanh(x)), (x,), {x: np.ones(3)})
    wrong = mutants.MUTATIONS["a wrong activation derivative"](setting, setting.gradient(), np.random.default_rng(0))
    assert settings.change(setting.values(setting.gradient()), setting.values(wrong)) > 1e-3
    assert dict(PRIMITIVES) == before


def test_a_kink_is_known_without_the_checker():
    x = sb.tensor("x", (2,))
    loss = sb.sum(sb.relu(x))
    for value, at_kink in ([1.0, 0.0], True), ([1.0, -1e-9], False):
        setting = settings.Setting("relu", loss, (x,), {x: np.array(value)})
        assert setting.is_at_a_kink(setting.gradient()) == at_kink


@pytest.mark.parametrize("number", range(13))
def test_gradients_by_hand_agree_with_complex_or_five_point_differences(number):
    rng = np.random.default_rng(number)
    problem = problems.functions.FAMILIES[number](rng, 5)
    x, steps = problem.point, 1e-3 * np.eye(problem.point.size)
    slopes = [
        (8 * (problem.fun(x + h) - problem.fun(x - h)) - problem.fun(x + 2 * h) + problem.fun(x - 2 * h)) / 12e-3
        for h in steps
    ]
    # waves turn a hundred times as fast as the others
    np.testing.assert_allclose(
        problem.gradient(x), slopes, atol=(1e-3 if number == 9 else 1e-6) * np.max(np.abs(slopes))
    )


# -- the counting ----------------------------------------------------------------------------------------


def outcome(kind=CORRECT, verdict=PASSED, **given):
    return Outcome("graph", kind, 3, "source", verdict, **{"change": 0.0 if kind == CORRECT else 2e-6, **given})


def test_what_is_counted_as_wrong():
    assert not outcome().is_wrong
    assert outcome(verdict=FAILED).is_wrong
    assert not outcome(verdict=UNDECIDED).is_wrong
    assert outcome("a sign").is_wrong
    assert not outcome("a sign", FAILED).is_wrong
    assert not outcome("a sign", is_below_sight=True, single=True).is_wrong
    assert outcome("a sign", is_below_sight=True).is_wrong
    assert outcome("a sign", single=True).is_wrong


@pytest.mark.parametrize(("sees", "below"), [((1e-9, 1e-5), False), ((1e-5, 1e-9), True), ((1e-5,), False)])
def test_a_mistake_is_below_sight_if_it_is_for_its_own_variable(sees, below):
    report = SimpleNamespace(passed=True, failed=False, rows=[SimpleNamespace(sees=s) for s in sees])
    assert asking._asked(lambda: report, [2e-6, 0.0])["is_below_sight"] == below


def test_a_checker_that_passes_everything_is_found_out(monkeypatch):
    report = SimpleNamespace(passed=True, failed=False, rows=[])
    monkeypatch.setattr(asking, "check_grad", lambda **given: report)
    found = [trial(WAYS["functions"], number, right=False) for number in range(4)]
    assert len(rates.listed(found).splitlines()) == 4
    assert "4 of 4" in rates.table(found, lambda o: o.way)


def test_a_crash_is_a_wrong_verdict_and_says_what_it_was(monkeypatch):
    def crash(**given):
        raise ZeroDivisionError("of the checker")

    monkeypatch.setattr(asking, "check_grad", crash)
    found = trial(WAYS["functions"], 0, right=True)
    assert "functions:right:0  error" in rates.listed([found])
    assert "ZeroDivisionError: of the checker" in rates.listed([found])


def test_a_planted_gradient_that_nobody_asks_for_is_an_error():
    x = sb.tensor("x")
    with pytest.raises(AssertionError, match="did not ask"), asking.claimed([x], [x]):
        pass


def test_the_interval_is_that_of_clopper_and_pearson():
    pytest.importorskip("scipy")
    assert rates.Rate(0, 2000).interval == (0.0, pytest.approx(1 - 0.025 ** (1 / 2000)))
    assert rates.Rate(3, 10).interval == pytest.approx((0.0667, 0.6525), abs=1e-4)
    assert rates.Rate(5, 5).interval[1] == 1.0
    assert str(rates.Rate(0, 0)) == "-"


def test_the_command_repeats_a_trial_and_counts(capsys):
    assert main(["--again", "functions:wrong:1"]) == 0
    assert "changed by" in capsys.readouterr().out
    assert main(["functions", "--count", "1"]) == 0
    assert "== functions: 2 gradients" in capsys.readouterr().out
    assert json.dumps(vars(arguments([])))


@pytest.mark.parametrize("name", peers.PEERS)
def test_a_peer_passes_a_right_gradient_and_fails_a_wrong_sign(name):
    if name not in peers.installed():
        pytest.skip("not installed")
    check, _ = peers.PEERS[name]
    x = np.array([0.3, -0.7, 1.1])
    right = problems.functions.Problem("squares", lambda u: np.sum(u**2) / 2, lambda u: u, {}, x)
    assert name == "scipy check_grad" or check(problems.Claim(right, "", right.gradient, 0.0))
    assert not check(problems.Claim(right, "a sign", lambda u: -u, 2.0))
