"""The generic tests of public functions: each call that a declaration gives, against NumPy, emitted, derived."""

from typing import Any, NamedTuple

import numpy as np
import pytest

import symback as sb
from counterparts import counterpart
from symback.check.cases import DTYPES, Case, Operands, as_variable, cases_of_call
from symback.check.evaluate import evaluate
from symback.check.primitive import check_case
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


CALLS = [Call(e, k, dtype) for e in DECLARED for k in range(len(e.examples)) for dtype in DTYPES]
every_call = pytest.mark.parametrize("call", CALLS, ids=map(str, CALLS))

CASES = [case for entry in DECLARED for dtype in DTYPES for case in cases_of_call(entry, dtype)]
every_case = pytest.mark.parametrize("case", CASES, ids=[case.label for case in CASES])


def agree(found: Any, wanted: Any, dtype: str, message: str = "") -> None:
    """Compare nested results in structure, shape, dtype and value."""
    assert len(leaves_of(found)) == len(leaves_of(wanted))
    for one, other in zip(leaves_of(found), leaves_of(wanted), strict=True):
        one, other = np.asarray(one), np.asarray(other)
        assert (one.shape, one.dtype) == (other.shape, other.dtype), message
        unit = 64 * np.finfo(dtype).eps
        np.testing.assert_allclose(one, other, rtol=unit, atol=unit, err_msg=message)


@every_call
@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated")  # since NumPy 2.5; its meaning is what is compared
def test_value_is_what_numpy_gives(call: Call) -> None:
    operands = call.operands(as_variable)
    nodes = call.example(call.entry.function, operands)
    wanted = call.example(counterpart(call.entry.name), call.operands(lambda name, value, shape: value))
    agree([evaluate(node, operands.point) for node in leaves_of(nodes)], leaves_of(wanted), call.dtype)


@every_call
def test_emitted_code_gives_what_the_oracle_gives(call: Call) -> None:
    operands = call.operands(as_variable)
    nodes = call.example(call.entry.function, operands)
    emitted = sb.lambdify(list(operands.made.values()), nodes)
    wanted = [evaluate(node, operands.point) for node in leaves_of(nodes)]
    agree(emitted(*operands.values.values()), refill(nodes, wanted), call.dtype, emitted.source)


@every_call
def test_sizes_may_be_symbolic(call: Call) -> None:
    if not call.entry.symbolic:
        return

    def named(name: str, value: Any, shape: Any) -> Any:
        return variable(name, tuple(f"n{size}" if size > 1 else size for size in shape), value.dtype)

    symbolic, concrete = call.operands(named), call.operands(as_variable)
    nodes = call.example(call.entry.function, symbolic)
    emitted = sb.lambdify(list(symbolic.made.values()), nodes)
    expected = call.example(call.entry.function, concrete)
    wanted = [evaluate(node, concrete.point) for node in leaves_of(expected)]
    agree(emitted(*symbolic.values.values()), refill(expected, wanted), call.dtype, emitted.source)


@every_case
def test_derivatives(case: Case) -> None:
    done = list(check_case(case, formula=case.node.dtype != np.float32))
    assert not [row for row in done if not row.passed]
    assert done


@every_case
def test_emitted_gradients_give_what_the_oracle_gives(case: Case) -> None:
    if case.node.dtype.kind != "f" or not case.wrt:
        return
    emitted = sb.lambdify(list(case.variables), case.gradients)
    agree(emitted(*case.point.values()), evaluate(case.gradients, case.point), str(case.node.dtype), emitted.source)


def test_every_function_was_covered() -> None:
    """How many calls were covered the run says at its end (see conftest.py)."""
    assert {entry.name for entry in DECLARED} == {call.entry.name for call in CALLS}
    assert {entry.name for entry in FUNCTIONS.values() if not entry.examples} == {
        entry.name for entry in FUNCTIONS.values() if entry.primitive is not None
    }


ALIASES = [(entry.name, alias) for entry in FUNCTIONS.values() for alias in entry.aliases]


@pytest.mark.parametrize(("name", "alias"), ALIASES)
def test_aliases_are_what_numpy_has(name: str, alias: str) -> None:
    assert counterpart(alias) is counterpart(name)
