"""The derivations of the models that lectures derive: their text, each line against numbers, and against textbooks."""

import re
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import sympy

import symback as sb
from derivations_page import PAGE, models_shown, page
from golden import FOLDER, check_golden
from models_derived import MODELS, OPTIONS
from symback.graph import toposort
from symback.nodes.leaves import Variable
from textbook import GRADIENTS

BY_NAME = {model.__name__: model for model in MODELS}
BY_COMPONENTS = ("two_layer_network", "ridge_regression", "softmax_of_one_hot", "recurrent_network", "convolution")
HESSIANS = ("logistic_regression", "matrix_factorisation", "softmax_of_one_hot")
IN_ALL_FORMS = ("two_layer_network", "attention")
DIRECT = re.compile(r"\\left\..+?\\right\|_\{\\text\{direct\}\}")
GOLDEN = FOLDER / "derivations"
ADJOINT = re.compile(r"\\frac\{\\partial (?:L|C|f|\\rho|\\mathcal\{L\})\}\{\\partial (?:[^{}]|\{[^{}]*\})+\}")


@cache
def derived(name: str, **options: Any) -> sb.Derivation:
    return sb.derive(*BY_NAME[name](), **{**OPTIONS.get(name, {}), **options})


def test_at_least_twelve_models() -> None:
    assert len(BY_NAME) == len(MODELS) >= 12
    assert set(OPTIONS) <= set(BY_NAME)
    assert set(BY_NAME) - set(GRADIENTS) == {"twenty_layers"}


@pytest.mark.parametrize("name", BY_NAME)
def test_the_text_is_the_approved_one(name: str) -> None:
    check_golden(f"{name}.tex", derived(name).latex(), folder=GOLDEN)


@pytest.mark.parametrize("name", BY_COMPONENTS)
def test_the_text_by_components_is_the_approved_one(name: str) -> None:
    check_golden(f"{name}.index.tex", derived(name, notation="index").latex(), folder=GOLDEN)


@pytest.mark.parametrize("name", HESSIANS)
def test_the_text_of_a_hessian_is_the_approved_one(name: str) -> None:
    check_golden(f"{name}.hessian.tex", derived(name, order=2).latex(), folder=GOLDEN)


@pytest.mark.parametrize("name", IN_ALL_FORMS)
@pytest.mark.parametrize(("form", "suffix"), [("markdown", "md"), ("html", "html"), ("text", "txt")])
def test_the_other_forms_are_the_approved_ones(name: str, form: str, suffix: str) -> None:
    check_golden(f"{name}.{suffix}", getattr(derived(name), form)(), folder=GOLDEN)


def test_the_page_shows_what_is_printed_now() -> None:
    """With --update-golden the page is written anew."""
    check_golden(PAGE.name, page(), folder=PAGE.parent)
    assert len(set(models_shown())) >= 6


@pytest.mark.parametrize("name", BY_NAME)
def test_each_line_holds_in_numbers(name: str) -> None:
    check_lines(derived(name))


@pytest.mark.parametrize("name", BY_COMPONENTS)
def test_each_line_by_components_holds_in_numbers(name: str) -> None:
    check_lines(derived(name, notation="index"))


@pytest.mark.parametrize("name", HESSIANS)
def test_each_line_of_a_hessian_holds_in_numbers(name: str) -> None:
    check_lines(derived(name, order=2))


def check_lines(derivation: sb.Derivation) -> None:
    """Fail unless each line of a derivation was checked, and holds."""
    lines = derivation.verify().lines
    assert len(lines) >= len(derivation.steps)
    assert [line for line in lines if line.status != "passed" or not line.residual < 1e-25] == []


@pytest.mark.parametrize("name", BY_NAME)
def test_a_derivative_is_found_before_it_is_used(name: str) -> None:
    found = set[str]()
    for step in derived(name).steps:
        own = f"{{\\partial {sympy.latex(step.quantity)}}}"
        for equation in step.equations:
            used = {symbol for side in equation.sides for symbol in ADJOINT.findall(DIRECT.sub("", side.text))}
            assert {symbol for symbol in used if not symbol.endswith(own)} <= found, str(equation)
            found.add(equation.left.text)


def test_layers_are_stated_once_and_behind_what_they_use() -> None:
    headings = re.findall(r"Step \d: \$(.)", derived("layers_by_superscript").markdown().replace("`", ""))
    assert headings == list("\\\\\\\\\\\\W")
    assert derived("twenty_layers").latex().count(r"\subsection*{Step") == 5


SIZES = {"N": 5, "M": 4, "n": 3, "m": 2, "h": 4, "d": 3, "k": 3, "r": 2}


def point(name: str) -> dict[str, np.ndarray]:
    """Draw values for the variables of a model; what textbooks assume of them holds."""
    random = np.random.default_rng(len(name))
    loss, _ = BY_NAME[name]()
    values = {}
    for variable in (node for node in toposort([loss]) if isinstance(node, Variable)):
        shape = tuple(SIZES.get(str(size), size) for size in variable.shape)
        draw = random.normal(size=shape) if variable.dtype.kind == "f" else random.integers(0, 3, size=shape)
        if variable.name in ("Sigma", "C"):
            draw = draw @ draw.T + np.eye(3)
        values[variable.name] = np.abs(draw) if not shape else draw
    return values


@pytest.mark.parametrize("name", GRADIENTS)
def test_the_gradients_are_those_of_the_textbook(name: str) -> None:
    values = point(name)
    wanted = GRADIENTS[name](SimpleNamespace(**values))
    for found, formula in zip(sb.evaluate(list(derived(name).gradients), values), wanted, strict=True):
        np.testing.assert_allclose(found, formula, rtol=1e-11, atol=1e-12)
