"""Emitted text passes `ruff check` and `ruff format --check` as they are without settings."""

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symback as sb
from networks import NETWORKS
from symback.check.cases import Operands, as_variable, cases_of
from symback.codegen.source.layout import WIDTH, laid_out
from symback.nodes.dtypes import is_float
from symback.op.public import FUNCTIONS
from symback.op.table import PRIMITIVES
from symback.structure import leaves_of

needs_ruff = pytest.mark.skipif(importlib.util.find_spec("ruff") is None, reason="ruff is of the extra [lint]")


def complaints(folder: Path) -> str:
    """Return what ruff says of the files of a folder, without settings; nothing if it is content."""
    said = ""
    for command in (["check", "--output-format=concise"], ["format", "--diff"]):
        line = [sys.executable, "-m", "ruff", *command, "--isolated", "--no-cache", str(folder)]
        done = subprocess.run(line, capture_output=True, encoding="utf-8", check=False)
        said += "" if done.returncode == 0 else done.stdout + done.stderr
    return said


def long_names() -> sb.CompiledFunction:
    first, second = "a_name_of_moderate_length_", "another_name_that_is_longer_"
    variables = [sb.tensor(f"{word}{k}", ("n", "n")) for k in range(4) for word in (first, second)]
    product = variables[0]
    for k, variable in enumerate(variables[1:]):
        product = product @ variable if k % 2 else sb.let(f"a_product_with_a_long_name_{k}", product @ variable.T)
    total = product[1:, :-1].sum(axis=0) + sb.exp(variables[0] - variables[1]).sum() ** 2 / sb.mean(variables[2])
    loss = sb.sum(total)
    return sb.lambdify(variables, {"the value of the loss": loss, "its gradients": [*sb.grad(loss, variables)]})


def constants() -> sb.CompiledFunction:
    random, x = np.random.default_rng(0), sb.tensor("x", (40,))
    arrays = [random.normal(size=(n, 40)) for n in (1, 3, 30)] + [
        np.full(40, -np.inf),
        np.arange(40) > 3,
        np.zeros((0, 3)),
    ]
    return sb.lambdify([x], [sb.constant(array) for array in arrays] + [sb.constant(array) @ x for array in arrays[:3]])


def checked_sizes() -> sb.CompiledFunction:
    n = sb.size("number_of_observations").size
    x, y = sb.tensor("x", (n,)), sb.tensor("y", (2 * n + 1,))
    return sb.lambdify([x, y], sb.sum(x[5:]) * y[n + 1 :] ** 2, name="a_function_that_reads_sizes")


def deep() -> sb.CompiledFunction:
    x = y = sb.tensor("x", ("n", "n"), dtype="float32")
    for k in range(12):
        y = sb.where(x > k, sb.sin(k * y + x) @ x.T, sb.logsumexp(y, axis=0) / (1 + y**2)) - sb.sum(y, axis=1)
    return sb.lambdify([x], (y, *[sb.sum(sb.exp(k * x) * sb.sin(k * x)) for k in range(9)]), check=False)


def floats() -> sb.CompiledFunction:
    t = sb.tensor("t", ("n",))
    listed = sb.constant(np.array([1e300, -1e-300, 1e16, np.inf]))
    clipped = sb.clip(t, -1e20, 1e30)
    return sb.lambdify([t], {'a"b\n': 1e16 * t, "it's": t + 1e300, "\"'\\": listed, "😀\x00é": clipped})


def symmetric() -> sb.CompiledFunction:
    S, x = sb.tensor("S", ("n", "n")), sb.tensor("x", ("n",))
    losses = [sb.let("L", sb.sum(sb.linalg.cholesky(S) ** 3 * x)), sb.let("E", sb.sum(x) ** 2 * sb.sum(S))]
    return sb.lambdify([S, x], [*losses, sb.grad(losses[0], S), *sb.grad(losses[1], [S, x])])


SPECIAL = {
    "names": long_names, "constants": constants, "sizes": checked_sizes, "deep": deep, "floats": floats,
}  # fmt: skip


def with_gradients(nodes: list[Any], inputs: list[Any]) -> list[Any]:
    """Add the gradients of the sum of the first of some nodes, where it has one."""
    try:
        loss = sb.sum(nodes[0])
        return [*nodes, *leaves_of(sb.grad(loss, [x for x in inputs if is_float(x.dtype)], disconnected="zero"))]
    except sb.errors.SymbackError:
        return nodes


def emitted() -> Iterator[tuple[str, str]]:
    """Yield texts: networks in full, the first example of each function, two cases of each primitive."""
    for name, make in NETWORKS.items():
        network = make()
        outputs = {"loss": network.loss, "d": sb.grad(network.loss, network.parameters)}
        yield name, sb.lambdify(network.inputs, outputs).module
    yield from ((name, make().source) for name, make in SPECIAL.items())
    yield "symmetric", symmetric().module
    t = sb.tensor("t", ("n",))
    yield "helpless", sb.lambdify([t], sb.sum(t[2500:] ** 2)).module
    for entry in FUNCTIONS.values():
        if entry.primitive is None and entry.examples:
            operands = Operands("float64", 0, as_variable)
            nodes = leaves_of(entry.examples[0](entry.function, operands))
            inputs = list(operands.made.values())
            yield f"call_{entry.name}", sb.lambdify(inputs, with_gradients(nodes, inputs)).source
    for declared in PRIMITIVES.values():
        for number, case in enumerate(islice(cases_of(declared, "float32", 0), 1, 3)):
            inputs = list(case.variables)
            yield f"case_{declared.name}_{number}", sb.lambdify(inputs, with_gradients([case.node], inputs)).source


@needs_ruff
def test_ruff_has_nothing_to_say_of_emitted_modules(tmp_path: Path) -> None:
    texts = dict(emitted())
    assert len(texts) > 250
    for name, text in texts.items():
        (tmp_path / f"{name.replace('.', '_').lower()}.py").write_text(text, encoding="utf-8")
    assert complaints(tmp_path) == ""


@needs_ruff
def test_ruff_would_find_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text("import os\nx = 1+1\n", encoding="utf-8")
    said = complaints(tmp_path)
    assert "F401" in said
    assert "+x = 1 + 1" in said


def test_keys_come_back_as_they_were_given() -> None:
    function = floats()
    assert list(function(np.ones(2))) == ['a"b\n', "it's", "\"'\\", "😀\x00é"]
    assert "1e16 * t" in function.source


@pytest.mark.parametrize(
    ("statement", "lines"),
    [
        ("y = (a - b)**2 + f(x)**2 + x**-2", ["y = (a - b) ** 2 + f(x) ** 2 + x**-2"]),
        ("y = x[n + 1:-1] + x[2:, None, ::-1]", ["y = x[n + 1 : -1] + x[2:, None, ::-1]"]),
        ("raise InputError('%s')" % ("m" * 80), ["raise InputError(", f"    '{'m' * 80}'", ")"]),
        ("r = %s + b" % ("a" * 70), [f"r = {'a' * 70} + b"]),
        ("result = %s + b" % ("a" * 80), ["result = (", f"    {'a' * 80} + b", ")"]),
        ("result = %s + b" % ("a" * 83), ["result = (", f"    {'a' * 83}", "    + b", ")"]),
        ("y = np.exp(-x**2)", ["y = np.exp(-(x**2))"]),
        ("r = a + f(%s, b)" % ("a" * 75), ["r = a + f(", f"    {'a' * 75}, b", ")"]),
        ("r = a + b + f(%s, b)" % ("a" * 72), ["r = (", "    a", "    + b", f"    + f({'a' * 72}, b)", ")"]),
        ("x = [%s, b]" % ("a" * 80), ["x = [", f"    {'a' * 80},", "    b,", "]"]),
        ("x = lambda: %s" % ("a" * 90), ["x = lambda: %s" % ("a" * 90)]),
    ],
)  # fmt: skip
def test_lines_are_broken_as_formatters_break_them(statement: str, lines: list[str]) -> None:
    assert laid_out(statement) == lines
    assert laid_out(f"    {statement}"[: 4 + len(statement)], 0)[0].startswith("    ")


def test_broken_lines_mean_what_they_meant() -> None:
    random = np.random.default_rng(0)
    atoms = [
        "x",
        "f(x, y)",
        "(a - b)",
        "A.T",
        "x[n + 1:, None]",
        "np.sum(A @ b, axis=0).reshape(n, 2).sum(axis=1)",
        "-z",
        "2.0",
    ]
    for _ in range(200):
        signs = random.choice([" + ", " * ", " @ ", "**", " / ", " - "], size=8)
        text = "".join(f"{atom}{sign}" for atom, sign in zip(random.choice(atoms, size=8), signs, strict=True)) + "end"
        lines = laid_out(f"value = {text}")
        assert ast.dump(ast.parse("\n".join(lines))) == ast.dump(ast.parse(f"value = {text}"))
        assert max(map(len, lines)) <= WIDTH
