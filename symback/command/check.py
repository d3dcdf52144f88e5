"""``check``: the gradient compared with numbers."""

import argparse
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np

from symback.command.given import Target
from symback.command.loading import guarded, load_gradient
from symback.command.output import say, say_json
from symback.errors import command as messages

PASSED, FAILED, UNDECIDED = 0, 1, 3
"""Exit codes."""


def check(given: argparse.Namespace, target: Target, *, check_grad: Callable[..., Any]) -> int:
    """Run the gradient checker and print its report.

    Returns:
        0 if it passed, 1 if it failed, 3 if it is undecided.

    Raises:
        InputError: If the point or the hand-written gradient cannot be read.
    """
    options = options_of(given)
    if given.at:
        options["at"] = point_of(given.at)
    if given.against:
        options["gradient"] = guarded(load_gradient(given.against), given.against)
    return finish(check_grad(target.loss, list(target.wrt), **options), given)


def options_of(given: argparse.Namespace) -> dict[str, Any]:
    """Return the options of the checker that are typed."""
    options: dict[str, Any] = {"seed": given.seed}
    if given.method:
        options["methods"] = [name.strip() for item in given.method for name in item.split(",") if name.strip()]
    if given.order != 1:
        options["order"] = given.order
    return options


def finish(report: Any, given: argparse.Namespace) -> int:
    """Print a report, and return the exit code of its verdict."""
    if given.json:
        say_json(report.to_dict())
    else:
        say(str(report), escaped=True)
    return PASSED if report.passed else FAILED if report.failed else UNDECIDED


def point_of(path: str) -> dict[str, Any]:
    """Read arrays by name from a file, which cannot make code run.

    Raises:
        InputError: If it cannot be read.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if isinstance(arrays, np.lib.npyio.NpzFile):
                return {name: arrays[name] for name in arrays.files}
    except OSError as error:
        raise messages.bad_file(path, error.strerror or str(error)) from None
    except (ValueError, EOFError, zipfile.BadZipFile, AttributeError, TypeError) as error:
        raise messages.bad_file(path, f"it is no .npz file of plain arrays ({type(error).__name__})") from None
    raise messages.bad_file(path, "it holds one array without a name")
