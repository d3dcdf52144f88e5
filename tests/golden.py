"""Golden files: text that was read and approved once, and must not change unseen."""

import difflib
import os
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "golden"
UPDATE = "SYMBACK_UPDATE_GOLDEN"


def check_golden(name: str, text: str, folder: Path | None = None) -> None:
    """Fail with a diff unless `text` is what the golden file holds.

    With ``pytest --update-golden``, or ``SYMBACK_UPDATE_GOLDEN=1`` in the environment, the file is
    written instead: read the change before it is committed.

    Args:
        name: The file's name below the folder, such as ``"two_layer_network.py"``.
        text: The text to hold against it.
        folder: Where the file is, ``tests/golden`` if not said.
    """
    path = (folder or FOLDER) / name
    if os.environ.get(UPDATE) == "1":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        return
    approved = path.read_text(encoding="utf-8") if path.exists() else ""
    if text != approved or not path.exists():
        pytest.fail(f"{_difference(name, approved, text)}\n{_cure(name, path.exists())}", pytrace=False)


def _difference(name: str, approved: str, text: str) -> str:
    lines = difflib.unified_diff(
        approved.splitlines(), text.splitlines(), f"{name} as approved", f"{name} as it is now", lineterm=""
    )
    return "\n".join(lines) or f"{name}: only line ends differ"


def _cure(name: str, exists: bool) -> str:
    what = "differs from its golden file" if exists else "has no golden file yet"
    return f"{name} {what}. If the new text is right: pytest --update-golden, and read the change."
