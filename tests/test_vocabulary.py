"""The generic tests of public functions: each call that a declaration gives, against NumPy, emitted, derived."""

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pytest

import symback as sb
from counterparts import counterpart
from symback.check.cases import DTYPES, Case, Operands, as_variable, cases_of_call
from symback.check.evaluate import evaluate
from symback.check.primitive import check_case
from symback.derive.reverse import grad
from symback.nodes.leaves import variable
from symback.op.public import FUNCTIONS, Example, PublicFunction
from symback.structure import leaves_of, refill

DECLARED = [entry for entry in FUNCTIONS.values() if entry.primitive is None]


class Call(NamedTuple):
    """One call of one function in one dtype."""

    entry: PublicFunction
    number: int
    dtype: str

    @property
    def example(self) -> Example:
        return self.entry.examples[self.number]

    def operands(self, kind: Any) -> Operands:
        return Operands(self.dtype, self.number, kind)

    def __str__(self) -> str:
        return f"{self.entry.name} {self.dtype} example {self.number}"


class Subject(NamedTuple):
    """A function in one dtype, and all its calls."""

    name: str
    dtype: str

    def __str__(self) -> str:
        return f"{self.name} {self.dtype}"


SUBJECTS = [Subject(entry.name, dtype) for entry in DECLARED for dtype in DTYPES]
every_function = pytest.mark.parametrize("subject", SUBJECTS, ids=str, scope="module")


def calls_for(subject: Subject) -> list[Call]:
    entry = FUNCTIONS[subject.name]
    return [Call(entry, number, subject.dtype) for number in range(len(entry.examples))]


@pytest.fixture
def calls(subject: Subject, record_property: Callable[[str, object], None]) -> list[Call]:
    for call in calls_for(subject):
        record_property("case", str(call))
    return calls_for(subject)


@cache
def cases_for(subject: Subject) -> tuple[Case, ...]:
    """Make the cases, one for each result of each call, once for all tests."""
    return tuple(cases_of_call(FUNCTIONS[subject.name], subject.dtype))


@pytest.fixture
def cases(subject: Subject, record_property: Callable[[str, object], None]) -> tuple[Case, ...]:
    for case in cases_for(subject):
        record_property("case", case.label)
    return cases_for(subject)


def agree(found: Any, wanted: Any, dtype: str, message: str = "") -> None:
    """Compare nested results in structure, shape, dtype and value."""
    assert len(leaves_of(found)) == len(leaves_of(wanted))
    for one, other in zip(leaves_of(found), leaves_of(wanted), strict=True):
        one, other = np.asarray(one), np.asarray(other)
        assert (one.shape, one.dtype) == (other.shape, other.dtype), message
        unit = 64 * np.finfo(dtype).eps
        np.testing.assert_allclose(one, other, rtol=unit, atol=unit, err_msg=message)


@every_function
@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated")  # since NumPy 2.5; its meaning is what is compared
def test_value_is_what_numpy_gives(subject: Subject, calls: list[Call]) -> None:
    for call in calls:
        operands = call.operands(as_variable)
        nodes = call.example(call.entry.function, operands)
        wanted = call.example(counterpart(call.entry.name), call.operands(lambda name, value, shape: value))
        found = evaluate(leaves_of(nodes), operands.point)
        agree(found, leaves_of(wanted), call.dtype, str(call))


@every_function
def test_emitted_code_gives_what_the_oracle_gives(subject: Subject, calls: list[Call]) -> None:
    for call in calls:
        operands = call.operands(as_variable)
        nodes = call.example(call.entry.function, operands)
        emitted = sb.lambdify(list(operands.made.values()), nodes)
        wanted = refill(nodes, evaluate(leaves_of(nodes), operands.point))
        agree(emitted(*operands.values.values()), wanted, call.dtype, f"{call}\n{emitted.source}")


@every_function
def test_sizes_may_be_symbolic(subject: Subject, calls: list[Call]) -> None:
    def named(name: str, value: Any, shape: Any) -> Any:
        return variable(name, tuple(f"n{size}" if size > 1 else size for size in shape), value.dtype)

    for call in calls if FUNCTIONS[subject.name].symbolic else ():
        symbolic, concrete = call.operands(named), call.operands(as_variable)
        nodes = call.example(call.entry.function, symbolic)
        emitted = sb.lambdify(list(symbolic.made.values()), nodes)
        expected = call.example(call.entry.function, concrete)
        wanted = refill(expected, evaluate(leaves_of(expected), concrete.point))
        agree(emitted(*symbolic.values.values()), wanted, call.dtype, f"{call}\n{emitted.source}")


@every_function
def test_derivatives(subject: Subject, cases: tuple[Case, ...]) -> None:
    for case in cases:
        done = list(check_case(case, formula=case.node.dtype != np.float32))
        assert not [row for row in done if not row.passed]
        assert done, case.label


@every_function
def test_emitted_gradients_give_what_the_oracle_gives(subject: Subject, cases: tuple[Case, ...]) -> None:
    for case in cases:
        if case.node.dtype.kind == "f" and case.wrt:
            gradients = grad(case.loss, case.wrt, disconnected="zero")
            emitted = sb.lambdify(list(case.variables), gradients)
            found, wanted = emitted(*case.point.values()), evaluate(gradients, case.point)
            agree(found, wanted, str(case.node.dtype), f"{case.label}\n{emitted.source}")


def test_every_function_was_covered() -> None:
    """How many calls were covered the run says at its end (see conftest.py)."""
    assert all(entry.examples for entry in DECLARED)
    assert {entry.name for entry in FUNCTIONS.values() if not entry.examples} == {
        entry.name for entry in FUNCTIONS.values() if entry.primitive is not None
    }


ALIASES = [(entry.name, alias) for entry in FUNCTIONS.values() for alias in entry.aliases]


@pytest.mark.parametrize(("name", "alias"), ALIASES)
def test_aliases_are_what_numpy_has(name: str, alias: str) -> None:
    assert counterpart(alias) is counterpart(name)
