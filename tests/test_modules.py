"""Saved modules stand alone: they draw arguments that fit, run, and check their gradients themselves."""

import pickle
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import symback as sb
from networks import NETWORKS
from symback.codegen.source import differences

ALONE = """
import runpy, sys
for name in ("sympy", "symback", "mpmath", "scipy"):
    sys.modules[name] = None
for path in sys.argv[1:]:
    print("module", path)
    runpy.run_path(path, run_name="__main__")
"""


def of_network(make: Callable[[], Any], **options: Any) -> sb.CompiledFunction:
    network = make()
    outputs = {"value": network.loss, "gradient": sb.grad(network.loss, network.parameters)}
    return sb.lambdify(network.inputs, outputs, name="loss_and_gradient", **options)


def of_loss(loss: Any, inputs: list[Any], wrt: list[Any]) -> sb.CompiledFunction:
    loss = sb.let("L", loss)
    return sb.lambdify(inputs, [loss, tuple(sb.grad(loss, wrt))])


def scalars() -> sb.CompiledFunction:
    a, b = sb.tensor("a"), sb.tensor("b", (), dtype="float32")
    return of_loss(sb.sin(a) * a + sb.exp(b) * a, [a, b], [a, b])


def logarithms() -> sb.CompiledFunction:
    x, y = sb.tensor("x", ("n",)), sb.tensor("y", ("n",), dtype="float32")
    return of_loss(sb.sum(sb.log(x)) + sb.sum(sb.sqrt(y)), [x, y], [x, y])


def inner() -> sb.CompiledFunction:
    x = sb.tensor("x", ("n",))
    return of_loss(sb.sum(sb.arctanh(x) * sb.log(x)), [x], [x])


def definite() -> sb.CompiledFunction:
    A, b = sb.tensor("A", ("n", "n")), sb.tensor("b", ("n",))
    return of_loss(sb.linalg.slogdet(A)[1] + sb.log(b @ A @ b), [A, b], [A, b])


def indices() -> sb.CompiledFunction:
    Z, labels = sb.tensor("Z", ("N", "m")), sb.tensor("labels", ("N",), dtype="uint8")
    chosen, seed = sb.tensor("chosen", ("N",), dtype="bool"), sb.tensor("seed", ("m",))
    lost = sb.where(chosen, sb.logsumexp(Z * seed, axis=1) - sb.take_along_axis(Z, labels[:, None], axis=1)[:, 0], 0)
    return of_loss(sb.sum(lost), [Z, labels, chosen, seed], [Z, seed])


def sizes() -> sb.CompiledFunction:
    n = sb.size("n").size
    x, y = sb.tensor("x", (n,)), sb.tensor("y", (n - 1, 2))
    return of_loss(sb.sum(x[6:]) * sb.sum((x[1:] - x[:-1])[:, None] * y), [x, y], [x, y])


def lower() -> sb.CompiledFunction:
    S = sb.tensor("S", ("n", "n"))
    return of_loss(sb.sum(sb.linalg.cholesky(S) ** 3), [S], [S])


def spectrum() -> sb.CompiledFunction:
    S, W = sb.tensor("S", ("n", "n")), sb.tensor("W", ("n", "n"))
    return of_loss(sb.sum(sb.linalg.eigvalsh(S) ** 3) * sb.sum(W @ W), [S, W], [S, W])


def several() -> sb.CompiledFunction:
    x, W = sb.tensor("x", ("n",)), sb.tensor("W", ("m", "n"))
    one, other = sb.let("L", sb.sum(sb.sin(x)) * sb.sum(W)), sb.let("E", sb.sum(W**2) * sb.sum(x))
    return sb.lambdify([x, W], [one, other, sb.grad(one, x), sb.grad(other, W), sb.grad(other, x)])


def larger() -> sb.CompiledFunction:
    W, x = sb.tensor("W", (30, 20)), sb.tensor("x", (20,))
    return of_loss(sb.sum(sb.tanh(W @ x) ** 2), [W, x], [W, x])


CHECKED = {
    **{name: lambda make=make: of_network(make) for name, make in NETWORKS.items()},
    "unchecked": lambda: of_network(NETWORKS["batch"], check=False),
    "fast": lambda: of_network(NETWORKS["softmax_classifier"], style="fast"),
    **{f.__name__: f for f in (scalars, logarithms, inner, definite, indices, sizes, larger, lower, spectrum, several)},
}


@pytest.fixture(scope="module")
def modules() -> dict[str, str]:
    return {name: make().module for name, make in CHECKED.items()}


def test_saved_modules_run_and_check_themselves_where_only_numpy_is(tmp_path: Path, modules: dict[str, str]) -> None:
    paths = [tmp_path / f"{name}.py" for name in modules]
    for path in paths:
        path.write_text(modules[path.stem], encoding="utf-8")
    line = [sys.executable, "-I", "-W", "error", "-c", ALONE, *map(str, paths)]
    done = subprocess.run(line, capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stderr) == (0, "")
    said = dict(zip(modules, done.stdout.split("module ")[1:], strict=True))
    for name in modules:
        assert re.search(r"^(L|E) = -?\d", said[name], flags=re.MULTILINE), name
        assert re.search(r"^gradient (of \w )?by \w+: relative error \d", said[name], flags=re.MULTILINE), name
    assert "gradient by seed: " in said["indices"]
    assert said["three_layers"].count("gradient by") == 6
    assert re.findall(r"gradient of (\w) by (\w)", said["several"]) == [("L", "x"), ("E", "W"), ("E", "x")]


def with_wrong_sign(text: str) -> list[str]:
    """Return the module with the sign of one gradient turned, for each of them."""
    found = re.search(r"gradients = \{(.*?)\}", text, flags=re.DOTALL)
    assert found is not None
    places = re.findall(r"results(\S*[^,\s])", found[1])
    return [text.replace(found[0], found[0].replace(f"results{place}", f"-results{place}", 1)) for place in places]


@pytest.mark.parametrize("name", ["batch", "scalars", "logarithms", "larger"])
def test_a_gradient_with_a_wrong_sign_is_found(tmp_path: Path, modules: dict[str, str], name: str) -> None:
    wrong = with_wrong_sign(modules[name])
    assert len(wrong) > 1
    for text in wrong:
        (tmp_path / "wrong.py").write_text(text, encoding="utf-8")
        with pytest.raises(AssertionError, match="the gradient is wrong, relative error 2"):
            runpy.run_path(str(tmp_path / "wrong.py"), run_name="__main__")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("(1 - A1)", "(1 + A1)"), ("d_Z2.T @ A1", "1.000001 * d_Z2.T @ A1"), ("d_Z1.sum(axis=0)", "d_Z1.mean(axis=0)")],
)
def test_a_wrong_line_in_the_backward_half_is_found(modules: dict[str, str], right: str, wrong: str) -> None:
    text = modules["batch"]
    assert text.count(right) == 1
    namespace: dict[str, Any] = {"__name__": "edited"}
    exec(text.replace(right, wrong), namespace)
    with pytest.raises(AssertionError, match="the gradient is wrong"):
        namespace["check_gradient"]()


@pytest.mark.parametrize("name", ["lower", "spectrum", "several"])
def test_gradients_of_symmetric_matrices_and_of_several_losses_are_checked(modules: dict[str, str], name: str) -> None:
    text = modules[name]
    assert ("Symmetric, and moved as such: S." in text) == (name != "several")
    rows = re.findall(r"\(loss_\d, (results\S+), (?:True|False)\)", text)
    assert len(rows) == {"lower": 1, "spectrum": 2, "several": 3}[name]
    for row in rows:
        namespace: dict[str, Any] = {"__name__": "edited"}
        exec(text.replace(f", {row}, ", f", -{row}, "), namespace)
        with pytest.raises(AssertionError, match="the gradient is wrong, relative error 2"):
            namespace["check_gradient"]()


@pytest.mark.parametrize(
    ("loss", "gradient", "message"),
    [
        ("np.sum(np.sin(x)) + 1e13", "-np.cos(x)", "differences prove nothing here"),
        ("np.sum(np.sin(x)) + 1e9", "1.0001 * np.cos(x)", "differences prove nothing here"),
        ("np.sum(np.sin(x)) + 1e13", "np.zeros(3)", "differences prove nothing here"),
        ("np.sum(np.sin(x)) + 1e3", "1.0001 * np.cos(x)", "the gradient is wrong, relative error 1.0e-04"),
        ("np.sum(np.sin(x))", "np.cos(x)[None]", r"it has shape \(1, 3\), wanted \(3,\)"),
    ],
)
def test_wrong_gradients_that_rounding_or_broadcasting_could_hide_are_found(
    loss: str, gradient: str, message: str
) -> None:
    values: dict[str, Any] = {"np": np, "x": np.array([0.1, 0.7, 2.0])}
    with pytest.raises(AssertionError, match=message):
        differences._gradient_error(
            lambda x: eval(loss, {"np": np, "x": x}), {"x": values["x"]}, "x", eval(gradient, values)
        )


@pytest.mark.parametrize("name", ["loss", "arguments", "results", "errors", "changed"])
def test_functions_may_have_the_names_that_the_check_would_use(tmp_path: Path, name: str) -> None:
    x = sb.tensor("x", ("n",))
    loss = sb.let("L", sb.sum(sb.sin(x)))
    path = sb.lambdify([x], [loss, sb.grad(loss, x)], name=name).save(tmp_path / "named.py")
    assert max(runpy.run_path(str(path))["check_gradient"]().values()) < 1e-8
    runpy.run_path(str(path), run_name="__main__")


def test_large_sizes_are_tried_and_where_nothing_fits_the_run_says_what_to_do(tmp_path: Path, capsys: Any) -> None:
    t = sb.tensor("t", ("n",))
    path = sb.lambdify([t], sb.sum(t[25:] ** 2)).save(tmp_path / "large.py")
    assert runpy.run_path(str(path))["example_arguments"]()["t"].shape == (64,)
    runpy.run_path(str(sb.lambdify([t], sb.sum(t[2500:] ** 2)).save(tmp_path / "huge.py")), run_name="__main__")
    wanted = "Put arguments that fit into example_arguments: a slice needs n >= 2500 (n = 3)\n"
    assert capsys.readouterr().out == wanted


def test_check_gradient_takes_arguments_of_ones_own(modules: dict[str, str]) -> None:
    namespace: dict[str, Any] = {"__name__": "own"}
    exec(modules["logarithms"], namespace)
    errors = namespace["check_gradient"](x=[2.0, 3.0], y=np.ones(2, np.float32))
    assert errors["x"] < 1e-8
    assert errors["y"] < 1e-3
    with pytest.raises(AssertionError, match="x: differences of the loss do not settle here"):
        namespace["check_gradient"](x=[1e-12, 3.0], y=np.ones(2, np.float32))


def test_without_a_gradient_the_module_only_runs() -> None:
    x = sb.tensor("x", ("n",))
    for outputs in (sb.exp(x), [sb.sum(x), sb.let("y", 2 * x)], sb.jacobian(sb.exp(x), x), sb.grad(sb.sum(x**2), x)):
        text = sb.lambdify([x], outputs).module
        assert "check_gradient" not in text
        assert text.endswith('if __name__ == "__main__":\n    print(f(**example_arguments()))\n')
    assert "    return {}\n" in sb.lambdify([], sb.constant(1.0)).module


def test_what_is_no_gradient_of_a_result_is_not_checked_and_that_is_said() -> None:
    x = sb.tensor("x", ("n",))
    loss = sb.sum(sb.sin(x))
    text = sb.lambdify([x], [loss, sb.grad(loss**2, x)]).module
    assert "check_gradient" not in text
    assert "# No scalar result was found to have the gradient by x that f returns." in text
    right = sb.lambdify([x], [sb.let("half", loss / 2), sb.let("full", loss), sb.grad(loss, x)]).module
    assert "Compare the gradient with differences of full." in right


def test_where_no_arguments_are_found_the_module_says_so() -> None:
    x = sb.tensor("x", ("n",))
    text = sb.lambdify([x], sb.log(-(x**2) - 1)).module
    assert "No arguments were found for which all results are finite: these are for you to replace." in text


def test_modules_survive_pickling_and_are_the_same_each_time(modules: dict[str, str]) -> None:
    function = CHECKED["definite"]()
    assert function.module == modules["definite"]
    assert pickle.loads(pickle.dumps(function)).module == modules["definite"]
    assert function.module.startswith(function.source)


@pytest.mark.parametrize("name", ["check_gradient", "example_arguments"])
def test_names_that_complete_modules_need_are_refused_for_functions(name: str) -> None:
    x = sb.tensor(name)
    with pytest.raises(sb.errors.InvalidNameError, match="Python or the emitted module uses it"):
        sb.lambdify([x], x, name=name)
    assert f'{{"{name}": np.float64(random.normal())}}' in sb.lambdify([x], x + 1).module
