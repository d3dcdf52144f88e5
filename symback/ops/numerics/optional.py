"""Libraries installed on demand, imported where a function of theirs is asked for."""

from importlib import import_module
from typing import Any

from symback import errors


class Library:
    """Stands for a module of an optional library under its name in emitted modules.

    Reading an attribute imports the module; if it is not installed, the error names
    the extra to install.
    """

    def __init__(self, package: str, module: str) -> None:
        self.package = package
        self.module = module

    def __getattr__(self, name: str) -> Any:
        try:
            found = import_module(f"{self.package}.{self.module}")
        except ModuleNotFoundError:
            raise errors.missing_extra(self.package, f"{self.module}.{name}") from None
        return getattr(found, name)


special = Library("scipy", "special")
"""`scipy.special`, as ``from scipy import special`` has it."""
