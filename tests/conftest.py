"""What every test shares: the update switch of golden files, Hypothesis without a clock, a registry put back."""

import gc
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest

from golden import UPDATE
from symback.nodes import apply, node
from symback.op import public, table

hypothesis.settings.register_profile(
    "symback", deadline=None, derandomize=True, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("symback")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files instead of comparing")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--update-golden"):
        os.environ[UPDATE] = "1"


def pytest_collection_finish() -> None:
    """Take 20,000 collected tests out of what the garbage collector walks, and let it walk the rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


COVERED = re.compile(r"test_(registry|vocabulary|peers)\.py::\w+\[([\w.]+) ?(.*)\]$")
WHAT = {"registry": "primitives", "vocabulary": "functions", "peers": "functions against JAX"}


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many operations the generic tests covered, on how many cases."""
    cases: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for report in terminalreporter.stats.get("passed", []):
        found = COVERED.search(report.nodeid)
        if report.when == "call" and found:
            own = {f"{found[3]}: {label}" for name, label in report.user_properties if name == "case"}
            cases[found[1]][found[2]] |= own or {found[3]}
    for name, covered in sorted(cases.items()):
        count = sum(map(len, covered.values()))
        terminalreporter.write_line(
            f"generic tests: {len(covered)} {WHAT[name]}, {count} cases (dtypes x shapes or calls)"
        )


@pytest.fixture
def own_registry() -> Iterator[None]:
    """Let a test declare primitives that no other test sees."""
    tables: tuple[dict[str, Any], ...] = (
        table._primitives, public._functions, apply.SIGNATURES, node.METHODS,
    )  # fmt: skip
    before = [dict(entered) for entered in tables]
    yield
    for entered, entries in zip(tables, before, strict=True):
        entered.clear()
        entered.update(entries)
