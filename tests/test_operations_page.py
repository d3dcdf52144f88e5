"""docs/operations.md is what the registry says, and every name that a NumPy model uses is on it."""

import inspect
from pathlib import Path

import pytest

import symback as sb
from golden import check_golden
from operations_page import anchor, entry_of, first_line, page, reached
from symback.nodes.node import METHODS, Node
from symback.op.public import FUNCTIONS
from vocabulary import LISTS, OPERATORS

DOCS = Path(__file__).parents[1] / "docs"
OURS = list(FUNCTIONS)


def test_the_page_is_not_stale() -> None:
    """With --update-golden the page is written anew."""
    check_golden("operations.md", page(), folder=DOCS)


def test_the_page_is_the_same_on_every_run() -> None:
    assert page() == page()


@pytest.mark.parametrize("name", [name for names in LISTS.values() for name in names])
def test_every_name_that_a_model_uses_is_there(name: str) -> None:
    if name in OPERATORS:
        assert hasattr(Node, OPERATORS[name])
        return
    assert entry_of(name) is not None or reached(name) is not None, f"{name} is not in the table"
    assert reached(name) is not None or name in METHODS, f"sb.{name} is not there"


@pytest.mark.parametrize("name", OURS)
def test_every_function_says_in_a_line_what_it_does(name: str) -> None:
    line = first_line(FUNCTIONS[name])
    assert 4 <= len(line) <= 200
    assert line[0].isupper() or line[0] in "abcdefghijklmnopqrstuvwxyz(1|-"
    assert line.endswith("."), line


@pytest.mark.parametrize("name", OURS)
def test_every_function_has_a_docstring(name: str) -> None:
    assert inspect.getdoc(FUNCTIONS[name].function)


def test_no_two_functions_have_one_place_on_the_page() -> None:
    anchors = [anchor(name) for name in OURS]
    assert len(set(anchors)) == len(anchors)


def test_functions_of_the_page_are_reached_by_their_names() -> None:
    missing = [name for name in OURS if reached(name) is None and f"np.{name}" not in page()]
    assert not missing
    assert sb.exp is FUNCTIONS["exp"].function
