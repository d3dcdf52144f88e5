"""Pages saved to files, in the form that the suffix says; a file is there whole or not at all."""

import contextlib
import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from symback.errors.page import no_path, no_tex, tex_failed, unknown_suffix
from symback.page.blocks import Page
from symback.page.html import html
from symback.page.markdown import markdown
from symback.page.tex import document
from symback.page.text import text

FORMS = {".tex": document, ".md": markdown, ".html": html, ".txt": text}
"""For each suffix what makes the text; ``.pdf`` is made of the document."""
_PROGRAMS = ("pdflatex", "lualatex", "xelatex", "tectonic")
_OPTIONS = ("-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error")
_SECONDS = 120
_LINES_OF_LOG = 5


def save(page: Page, path: str | os.PathLike[str]) -> None:
    """Write a page to a file, in the form that its suffix says.

    Args:
        page: The page.
        path: With the suffix ``.tex``, ``.md``, ``.html``, ``.txt``, or ``.pdf``, which needs a TeX.

    Raises:
        InputError: If it is no path, its suffix is none of these, or TeX does not compile the document.
        UsageError: If a PDF is asked for and no TeX is installed.
        OSError: If the file cannot be written; a file that was there before is still there.
    """
    target = checked_path(path)
    known = (*FORMS, ".pdf")
    suffix = target.suffix.lower()
    if suffix not in known:
        raise unknown_suffix(path, known)
    content = _pdf(document(page), target) if suffix == ".pdf" else FORMS[suffix](page).encode("utf-8")
    write_whole(target, content)


def checked_path(path: Any) -> Path:
    """Return a path.

    Raises:
        InputError: If it is something else, such as bytes.
    """
    try:
        return Path(path)
    except TypeError:
        raise no_path(path) from None


def write_whole(target: Path, content: bytes) -> None:
    """Write a file beside the target, then put it in its place; a link stays a link.

    Raises:
        OSError: If it cannot be written; a file that was there before is still there.
    """
    target = Path(os.path.realpath(target))
    beside = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        with beside.open("xb") as file:
            file.write(content)
        if target.exists():
            beside.chmod(target.stat().st_mode & 0o7777)
        os.replace(beside, target)
    except BaseException as reason:
        if isinstance(reason, OSError) and reason.filename is not None:
            reason.filename = str(target)  # what the caller knows of
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def _pdf(source: str, target: Path) -> bytes:
    """Compile a document in a folder of its own; TeX may run no program."""
    program = next((found for found in _PROGRAMS if shutil.which(found)), None)
    if program is None:
        raise no_tex(target, _PROGRAMS)
    options = ("--untrusted",) if program == "tectonic" else _OPTIONS
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "page.tex").write_text(source, encoding="utf-8")
        try:
            done = subprocess.run(
                [program, *options, "page.tex"], cwd=folder, capture_output=True, timeout=_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise tex_failed(program, f"it took more than {_SECONDS} seconds") from None
        made = Path(folder, "page.pdf")
        if done.returncode or not made.exists():
            raise tex_failed(program, _first_lines(done.stdout.decode("utf-8", "replace")))
        return made.read_bytes()


def _first_lines(log: str) -> str:
    """Return the lines of a log from the first error on."""
    lines = log.splitlines()
    first = next(
        (place for place, line in enumerate(lines) if line.startswith("!")), max(len(lines) - _LINES_OF_LOG, 0)
    )
    return " / ".join(line.strip() for line in lines[first : first + _LINES_OF_LOG] if line.strip())
