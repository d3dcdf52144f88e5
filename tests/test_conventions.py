"""docs/conventions.md and its tests go together: each row is tested, or waits for a reason that is given."""

import importlib
import re
from pathlib import Path

import pytest

import conventions

PAGE = (Path(__file__).parents[1] / "docs" / "conventions.md").read_text(encoding="utf-8")
HELD, _, WAITING = PAGE.partition("## Rows that wait")
ROW = re.compile(r"^\| (\d+)( \(\w+\))? \| (.+) \| (.+) \|$", re.MULTILINE)
COUNT = 151


def numbers_of(text: str, *, parts: bool) -> list[int]:
    """Return the numbers of the rows of a table, with those of which it has a part or without."""
    return [int(number) for number, part, _, _ in ROW.findall(text) if parts or not part]


@pytest.fixture(scope="module")
def tested() -> set[int]:
    for path in Path(__file__).parent.glob("test_conventions_*.py"):
        importlib.import_module(path.stem)
    return {int(number) for number in conventions.TESTED if number.isdigit()}


def test_every_row_stands_once() -> None:
    rows = numbers_of(HELD, parts=True) + numbers_of(WAITING, parts=False)
    assert sorted(rows) == list(range(1, COUNT + 1))


def test_rows_that_are_held_are_tested_and_rows_that_wait_are_not(tested: set[int]) -> None:
    assert tested == set(numbers_of(HELD, parts=True))
    assert not tested & set(numbers_of(WAITING, parts=False))


def test_rows_of_which_a_part_waits_are_tested_otherwise(tested: set[int]) -> None:
    parts = set(numbers_of(WAITING, parts=True)) - set(numbers_of(WAITING, parts=False))
    assert parts <= tested


def test_rows_that_wait_say_why() -> None:
    assert all(len(reason) > 5 for _, _, _, reason in ROW.findall(WAITING))
