"""What is printed and written: whole or not at all, also to pipes that close and terminals that know few signs."""

import argparse
import contextlib
import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from symback.errors import command as messages
from symback.page.save import write_whole


def say(text: str, *, escaped: bool = False) -> None:
    """Print a text; a reader that has seen enough, such as ``head``, is no error.

    Args:
        text: Without the last line break.
        escaped: Write signs that the terminal does not have as escapes; else they are an error.

    Raises:
        InputError: If standard output is closed or full, or does not have a sign.
    """
    stream = sys.stdout
    if stream is None:
        raise messages.no_output()
    encoding = stream.encoding or "utf-8"
    if escaped:
        text = text.encode(encoding, "backslashreplace").decode(encoding)
    try:
        text.encode(encoding, stream.errors or "strict")
    except UnicodeEncodeError as error:
        raise messages.not_encodable(text[error.start], encoding) from None
    try:
        stream.write(f"{text}\n")
        stream.flush()
    except BrokenPipeError:
        _leave(stream)
    except OSError as error:
        _leave(stream)
        raise messages.not_written("standard output", error) from None


def _leave(stream: Any) -> None:
    """Let what Python still holds for a stream go nowhere, so that it is silent when it ends."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def complain(text: str) -> None:
    """Print an error to standard error."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        encoding = sys.stderr.encoding or "utf-8"
        sys.stderr.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        sys.stderr.flush()


def say_json(value: Any) -> None:
    """Print plain Python values as one JSON object, ASCII only; NaN and infinities as strings."""
    say(json.dumps(_plain(value), indent=2, allow_nan=False))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def write_file(path: str, text: str) -> None:
    """Write a file, whole or not at all.

    Raises:
        InputError: If it cannot be written.
    """
    with writing(path):
        write_whole(Path(path), text.encode("utf-8"))


@contextlib.contextmanager
def writing(path: str) -> Any:
    """Say of a file that cannot be written which one it is.

    Raises:
        InputError: In the place of an OSError.
    """
    try:
        yield
    except OSError as error:
        raise messages.not_written(repr(path), error) from None


def form_of(given: argparse.Namespace, suffixes: Mapping[str, Sequence[str]], default: str) -> str:
    """Return the form that is asked for, or that the name of the file says.

    Args:
        given: What is typed: ``form`` and ``output``.
        suffixes: The suffixes of each form; the first form that has a suffix is what a file so named holds.
        default: The form of what is printed.

    Raises:
        InputError: If the name of the file says another form, or none.
    """
    if not given.output:
        return given.form or default
    suffix = "." + given.output.rpartition(".")[2].lower() if "." in given.output else ""
    if given.form:
        if suffix not in suffixes[given.form]:
            raise messages.bad_suffix(given.output, given.form, suffixes[given.form])
        return str(given.form)
    for form, known in suffixes.items():
        if suffix in known:
            return form
    raise messages.unknown_suffix(
        given.output, list(dict.fromkeys(each for known in suffixes.values() for each in known))
    )
