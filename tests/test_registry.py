"""The generic tests: every registered primitive, on every dtype and shape, against numbers."""

import pickle
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
import pytest
import sympy

import reference_functions
import symback as sb
from counterparts import counterpart
from symback.check.cases import DTYPES, SHAPES, Case, cases_of
from symback.check.evaluate import evaluate
from symback.check.primitive import check_case
from symback.derive.reverse import grad
from symback.latex.printer import latex
from symback.nodes.apply import Map, Operation
from symback.nodes.leaves import variable
from symback.nodes.rows import unpickle
from symback.op.public import FUNCTIONS
from symback.op.table import PRIMITIVES

DECLARED = dict(PRIMITIVES)

ELEMENTWISE = [entry for entry in FUNCTIONS.values() if entry.primitive is not None]


class Subject(NamedTuple):
    """A primitive with operands of one dtype, and all its cases."""

    name: str
    dtype: str

    def __str__(self) -> str:
        return f"{self.name} {self.dtype}"


SUBJECTS = [Subject(name, dtype) for name in DECLARED for dtype in DTYPES]
every_primitive = pytest.mark.parametrize("subject", SUBJECTS, ids=str, scope="module")
every_elementwise_primitive = pytest.mark.parametrize(
    "subject", [s for s in SUBJECTS if DECLARED[s.name].kind == "elementwise"], ids=str, scope="module"
)


@cache
def cases_for(subject: Subject) -> tuple[Case, ...]:
    """Make the cases once for all tests, with the gradients that they carry."""
    return tuple(cases_of(DECLARED[subject.name], subject.dtype, seed=0))


@pytest.fixture
def cases(subject: Subject, record_property: Callable[[str, object], None]) -> tuple[Case, ...]:
    for case in cases_for(subject):
        record_property("case", case.label)
    return cases_for(subject)


@every_primitive
def test_every_check_passes(subject: Subject, cases: tuple[Case, ...]) -> None:
    for case in cases:
        done = list(check_case(case, formula=case.node.dtype != np.float32))
        assert not [row for row in done if not row.passed]
        assert done, case.label


@every_primitive
def test_every_shape_and_every_example_is_a_case(subject: Subject, cases: tuple[Case, ...]) -> None:
    declared = DECLARED[subject.name]
    shapes = len(declared.examples) if declared.kind == "structural" else len(SHAPES.get(declared.arity or 1, [()]))
    assert len(cases) >= shapes > 0


def spelled(case: Case) -> Any:
    """Evaluate the NumPy spelling of the registry: a function of NumPy, a template, or a Python function."""
    arrays = [case.point[operand] for operand in case.node.operands]
    spelling = case.declared.numpy
    if callable(spelling):
        return spelling(*arrays)
    if "{" in spelling:
        names = [f"x{k}" for k in range(len(arrays))]
        known = {"np": np, "scipy": import_module("scipy")} if "scipy." in spelling else {"np": np}
        return eval(spelling.format(*names), {**known, **dict(zip(names, arrays, strict=True))})
    module, _, function = spelling.replace("np.", "numpy.", 1).rpartition(".")
    return getattr(import_module(module), function)(*arrays)


@every_elementwise_primitive
def test_value_is_what_the_numpy_spelling_gives(subject: Subject, cases: tuple[Case, ...]) -> None:
    for case in cases:
        found, wanted = evaluate(case.node, case.point), spelled(case)
        assert found.dtype == wanted.dtype == case.node.dtype, case.label
        assert found.shape == wanted.shape == case.node.shape, case.label
        np.testing.assert_array_equal(found, wanted, err_msg=case.label)


@pytest.mark.parametrize("entry", ELEMENTWISE, ids=lambda entry: entry.name)
def test_a_name_means_what_numpy_and_scipy_mean_by_it(entry: Any) -> None:
    function = counterpart(entry.name)
    for dtype in DTYPES:
        for case in cases_of(entry.primitive, dtype, seed=1):
            found, wanted = evaluate(case.node, case.point), function(*[case.point[x] for x in case.node.operands])
            unit = 16 * np.finfo(dtype).eps
            assert np.shape(found) == np.shape(wanted)
            assert found.dtype == np.asarray(wanted).dtype
            np.testing.assert_allclose(found, wanted, rtol=unit, atol=0, err_msg=case.label)


INTEGERS = ("int64", "int32", "uint8", "bool")
IN_NUMPY = [entry for entry in ELEMENTWISE if not hasattr(reference_functions, entry.name.replace(".", "_"))]


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("entry", IN_NUMPY, ids=lambda entry: entry.name)
def test_integers_give_what_numpy_gives_or_are_refused(entry: Any, dtype: str) -> None:
    arrays = [np.ones(2, dtype) for _ in entry.primitive.domain]
    variables = [variable(f"x{k}", (2,), dtype) for k in range(len(arrays))]
    try:
        node = entry.function(*variables)
    except sb.errors.SymbackError:
        return
    with np.errstate(all="ignore"):
        wanted = np.asarray(counterpart(entry.name)(*arrays))
        found = sb.lambdify(variables, node)(*arrays)
    half = wanted.dtype == np.float16  # which symback does not have: float64 stands for it
    assert node.dtype == found.dtype == (np.float64 if half else wanted.dtype)
    np.testing.assert_allclose(found, wanted, rtol=1e-2 if half else 1e-5 if wanted.dtype == np.float32 else 1e-12)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", [name for name, declared in DECLARED.items() if declared.kind == "elementwise"])
def test_elementwise_sizes_may_be_symbolic(name: str, dtype: str) -> None:
    """Broadcast along the first axis, or the last: value and gradient are those of fixed sizes."""
    arity = len(DECLARED[name].domain)
    shapes = ((2, 3), (3,), ()) if arity > 1 else ((2, 3),)
    concrete = next(case for case in cases_with(name, dtype, shapes[:arity]))
    variables = [variable(x.name, ("m", "n")[2 - len(x.shape) :], dtype) for x in concrete.variables]
    node = Map(Operation(name), *variables)
    point = dict(zip(variables, concrete.point.values(), strict=True))
    case = Case(declared=DECLARED[name], label="", node=node, variables=tuple(variables), point=point)
    arrays = list(point.values())
    outputs = [node, *gradient_by_ones(case)]
    wanted = evaluate([concrete.node, *gradient_by_ones(concrete)], concrete.point)
    for value, expected in zip(sb.lambdify(variables, outputs)(*arrays), wanted, strict=True):
        assert (np.shape(value), np.asarray(value).dtype) == (expected.shape, expected.dtype)
        unit = 32 * np.finfo(dtype).eps
        np.testing.assert_allclose(value, expected, rtol=unit, atol=unit)


def cases_with(name: str, dtype: str, shapes: Any) -> Any:
    """Yield a case of an elementwise primitive on operands of these shapes."""
    rng = np.random.default_rng(2)
    variables = tuple(variable(f"x{k}", shape, dtype) for k, shape in enumerate(shapes))
    pairs = zip(variables, DECLARED[name].domain, strict=True)
    point = {x: np.asarray(rng.uniform(*interval, x.shape)).astype(dtype) for x, interval in pairs}
    node = Map(Operation(name), *variables)
    yield Case(declared=DECLARED[name], label="", node=node, variables=variables, point=point)


def gradient_by_ones(case: Case) -> list[Any]:
    """Return the gradient of the sum of an instance that has a derivative."""
    if case.declared.derivative is None or case.node.dtype.kind != "f":
        return []
    wrt = [x for k, x in enumerate(case.variables) if k not in case.declared.held]
    return sb.grad(sb.sum(case.node), wrt, disconnected="zero")


def graph(case: Case) -> list[Any]:
    """Return the instance and, where there is one, its gradient."""
    derivative = case.declared.derivative is not None or case.declared.vjp is not None
    return [
        case.node,
        *(grad(case.loss, case.wrt, disconnected="zero") if derivative and case.node.dtype.kind == "f" else []),
    ]


@every_primitive
def test_emitted_code_gives_what_the_oracle_gives(subject: Subject, cases: tuple[Case, ...]) -> None:
    for case in cases:
        outputs = graph(case)
        emitted = sb.lambdify(list(case.variables), outputs)
        message = f"{case.label}\n{emitted.source}"
        found = emitted(*[case.point[x] for x in case.variables])
        for value, wanted in zip(found, evaluate(outputs, case.point), strict=True):
            assert (np.shape(value), np.asarray(value).dtype) == (wanted.shape, wanted.dtype), message
            unit = np.finfo(wanted.dtype).eps if wanted.dtype.kind == "f" else 0
            np.testing.assert_allclose(value, wanted, rtol=8 * unit, atol=8 * unit, err_msg=message)


@every_primitive
def test_pickling_gives_the_same_node_and_latex_is_balanced(subject: Subject, cases: tuple[Case, ...]) -> None:
    for node in dict.fromkeys(node for case in cases for node in graph(case)):
        assert node.__reduce_ex__(2)[0] is unpickle
        assert pickle.loads(pickle.dumps(node)) is node
        text = sympy.latex(node)
        assert text == latex(node)
        assert is_balanced(text), text


def is_balanced(text: str) -> bool:
    """Do braces nest, does each \\left have its \\right, and each \\begin its \\end?"""
    depth = 0
    for brace in text.replace(r"\{", "").replace(r"\}", ""):
        depth += (brace == "{") - (brace == "}")
        if depth < 0:
            return False
    words = text.replace(r"\leftarrow", "").replace(r"\rightarrow", "").replace(r"\leftrightarrow", "")
    pairs = ((r"\left", r"\right"), (r"\begin{", r"\end{"))
    return depth == 0 and all(words.count(begin) == words.count(end) for begin, end in pairs)
