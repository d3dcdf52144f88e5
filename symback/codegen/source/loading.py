"""Running emitted modules: the one place where text becomes code, and that text symback wrote itself."""

import linecache
from itertools import count
from typing import Any

_numbers = count(1)


def run_module(name: str, source: str) -> dict[str, Any]:
    """Run an emitted module and return its names; tracebacks show its lines."""
    filename = f"<symback {name} {next(_numbers)}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    namespace: dict[str, Any] = {"__name__": f"symback_{name}"}
    exec(compile(source, filename, "exec", dont_inherit=True), namespace)
    return namespace
