"""The generic tests: every registered primitive, on every dtype and shape, against numbers."""

import pickle
from collections import Counter
from functools import reduce
from typing import Any

import numpy as np
import pytest
import sympy

import symback as sb
from symback.check.cases import DTYPES, SHAPES, Case, cases_of
from symback.check.evaluate import evaluate
from symback.check.primitive import check_case
from symback.graph import toposort
from symback.latex.printer import latex
from symback.nodes.rows import unpickle
from symback.op.table import PRIMITIVES

DECLARED = dict(PRIMITIVES)

CASES = [case for declared in DECLARED.values() for dtype in DTYPES for case in cases_of(declared, dtype, seed=0)]

ELEMENTWISE_IN_NUMPY = [name for name, d in DECLARED.items() if d.kind == "elementwise" and hasattr(np, name)]

every_case = pytest.mark.parametrize("case", CASES, ids=[f"{case.declared.name} {case.label}" for case in CASES])


@every_case
def test_every_check_passes(case: Case) -> None:
    done = list(check_case(case))
    assert not [row for row in done if not row.passed]
    assert done


def spelled(case: Case) -> Any:
    """Evaluate the NumPy spelling of the registry: a function of NumPy, a template, or a Python function."""
    arrays = [case.point[operand] for operand in case.node.operands]
    spelling = case.declared.numpy
    if callable(spelling):
        return spelling(*arrays)
    if "{" in spelling:
        names = [f"x{k}" for k in range(len(arrays))]
        return eval(spelling.format(*names), {"np": np, **dict(zip(names, arrays, strict=True))})
    return reduce(getattr, spelling.split(".")[1:], np)(*arrays)


@pytest.mark.parametrize(
    "case",
    [case for case in CASES if case.declared.kind == "elementwise"],
    ids=lambda case: f"{case.declared.name} {case.label}",
)
def test_value_is_what_the_numpy_spelling_gives(case: Case) -> None:
    found, wanted = evaluate(case.node, case.point), spelled(case)
    assert found.dtype == wanted.dtype == case.node.dtype
    assert found.shape == wanted.shape == case.node.shape
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("name", ELEMENTWISE_IN_NUMPY)
def test_a_name_that_numpy_has_means_what_numpy_means(name: str) -> None:
    for case in cases_of(PRIMITIVES[name], "float64", seed=1):
        wanted = getattr(np, name)(*[case.point[operand] for operand in case.node.operands])
        np.testing.assert_array_equal(evaluate(case.node, case.point), wanted)


def graph(case: Case) -> list[Any]:
    """Return the instance and, where there is one, its gradient."""
    derivative = case.declared.derivative is not None or case.declared.vjp is not None
    return [case.node, *(case.gradients if derivative and case.node.dtype.kind == "f" else [])]


@every_case
def test_emitted_code_gives_what_the_oracle_gives(case: Case) -> None:
    outputs = graph(case)
    emitted = sb.lambdify(list(case.variables), outputs)
    found = emitted(*[case.point[x] for x in case.variables])
    for value, wanted in zip(found, evaluate(outputs, case.point), strict=True):
        assert (np.shape(value), np.asarray(value).dtype) == (wanted.shape, wanted.dtype), emitted.source
        unit = np.finfo(wanted.dtype).eps if wanted.dtype.kind == "f" else 0
        np.testing.assert_allclose(value, wanted, rtol=8 * unit, atol=8 * unit, err_msg=emitted.source)


@every_case
def test_pickling_gives_the_same_node(case: Case) -> None:
    for node in graph(case):
        assert node.__reduce_ex__(2)[0] is unpickle
        assert pickle.loads(pickle.dumps(node)) is node


@every_case
def test_latex_is_balanced(case: Case) -> None:
    for node in graph(case):
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


@every_case
def test_nodes_follow_the_law_of_sympy(case: Case) -> None:
    for node in toposort(graph(case)):
        assert node.func(*node.args) is node


def test_every_primitive_was_covered() -> None:
    cases = Counter(case.declared.name for case in CASES)
    for name, declared in DECLARED.items():
        shapes = len(declared.examples) if declared.kind == "structural" else len(SHAPES[declared.arity or 1])
        assert cases[name] >= shapes * len(DTYPES)
    assert len(CASES) >= 3 * len(DTYPES) * len(DECLARED)
    print(f"\n{len(DECLARED)} primitives, {len(DTYPES)} dtypes, all shapes: {len(CASES)} cases")
