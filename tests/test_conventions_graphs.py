"""Conventions, sections 7, 9 and 10: what a graph means; names and text; depth, sharing, calls."""

import ast
import contextlib
import pickle
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy

import symback as sb
from conventions import Row, check, convention, row, same
from symback.op.public import FUNCTIONS

PACKAGE = Path(sb.__file__).parent

# -- 7. what a graph means ---------------------------------------------------------------------------------

GRAPHS = [
    row("113", "the output is an input", lambda x: x, 2, value=2, gradient=1),
    row("114", "the Hessian of a linear function", lambda x: 3 * x, [1, 2], gradient=[3, 3], hessian=np.zeros((2, 2))),
    row("119", "max of a variable twice", lambda x: sb.max(sb.concatenate([x, x])), [1, 2], value=2, gradient=[0, 1]),
]


@pytest.mark.parametrize("found", GRAPHS, ids=str)
def test_row(found: Row) -> None:
    check(found)


@convention("109")
def test_109_a_variable_that_the_loss_does_not_depend_on() -> None:
    x, unused = sb.tensor("x", (3,)), sb.tensor("unused", (2, 2))
    loss = sb.sum(x * x)
    with pytest.raises(sb.errors.DerivativeError, match="unused"):
        sb.grad(loss, [x, unused])
    gradients = sb.grad(loss, [x, unused], disconnected="zero")
    assert same(sb.lambdify([x], gradients[1])(np.ones(3)), np.zeros((2, 2)))
    y = sb.tensor("y", (2, 2))
    blocks = sb.lambdify([x, y], sb.hessian(loss + sb.sum(y), [x, y]))(np.ones(3), np.ones((2, 2)))
    assert same(blocks[0][0], 2 * np.eye(3))
    assert same(blocks[0][1], np.zeros((3, 2, 2)))
    assert same(blocks[1][1], np.zeros((2, 2, 2, 2)))


@convention("110")
def test_110_a_gradient_by_an_intermediate_node() -> None:
    x = sb.tensor("x", (2,))
    for middle in (sb.let("middle", 2 * x), 2 * x + 1):
        gradient = sb.grad(sb.sum(middle * [3.0, 13.0]), middle)
        assert same(sb.lambdify([x], gradient)(np.ones(2)), [3, 13])


@convention("111")
def test_111_a_gradient_by_a_constant_is_refused() -> None:
    x, c = sb.tensor("x", (2,)), sb.constant(np.array([3.0, 4.0]))
    with pytest.raises(sb.errors.DtypeError, match="a constant is no variable; make it one"):
        sb.grad(sb.sum(x * c), c)


@convention("112")
@pytest.mark.parametrize("shape", [(3,), (1,), (1, 1)])
def test_112_a_loss_is_a_scalar(shape: tuple[int, ...]) -> None:
    x = sb.tensor("x", shape)
    with pytest.raises(sb.errors.DerivativeError, match="scalar"):
        sb.grad(2 * x, x)


@convention("113")
def test_113_one_variable_twice() -> None:
    x = sb.tensor("x", ())
    assert sb.lambdify([x], sb.grad(x * x, [x, x]))(3.0) == [6, 6]


@convention("115")
def test_115_one_name_for_two_variables() -> None:
    assert sb.tensor("x", (3,)) is sb.tensor("x", (3,))
    with pytest.raises(sb.errors.InvalidNameError, match="'x' stands for two"):
        sb.lambdify([sb.tensor("x", (3,))], sb.sum(sb.tensor("x", (3,))) + sb.tensor("x", ()))
    symbols = sympy.Symbol("x"), sympy.Symbol("x", positive=True)
    with pytest.raises(sb.errors.InvalidNameError, match="two different SymPy symbols"):
        sb.lambdify(list(symbols), symbols[0] + symbols[1])


@convention("116", "117")
def test_116_117_inputs_are_those_that_are_needed_and_more() -> None:
    x, y = sb.tensor("x", (2,)), sb.tensor("y", (3,))
    with pytest.raises(sb.errors.InputError, match="'x' is listed twice"):
        sb.lambdify([x, x], 2 * x)
    with pytest.raises(sb.errors.InputError, match="depend on y"):
        sb.lambdify([x], sb.sum(x) * y)
    f = sb.lambdify([x, y], 2 * x)
    assert same(f(np.ones(2), np.ones(3)), [2, 2])
    with pytest.raises(sb.errors.InputError, match="y"):
        f(np.ones(2), np.ones(2))


@convention("118")
def test_118_a_constant_output_has_its_shape() -> None:
    x, s = sb.tensor("x", ("n",)), sympy.Symbol("s")
    assert same(sb.lambdify([x], sb.grad(sb.sum(3 * x), x))(np.ones(4)), [3, 3, 3, 3])
    assert same(sb.lambdify([x], sb.zeros_like(x) + 3)(np.ones(4)), [3, 3, 3, 3])
    assert same(sb.lambdify([s], sb.grad(3 * s, s))(1.0), 3)


# -- 9. names, text --------------------------------------------------------------------------------------------


def calls_of(path: Path) -> Iterator[str]:
    """Yield the names of the functions and methods that a file calls; `sympify` where it would take text."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            strict = any(keyword.arg == "strict" for keyword in node.keywords)
            yield f"{name}, strict" if strict else name


@convention("134")
def test_134_nothing_executes_text() -> None:
    """`exec` is for emitted modules alone; `sympify` refuses text where it is strict."""
    evil = {"sympify", "parse_expr", "eval", "exec", "S", "_sympify"}
    found = {(path.name, name) for path in PACKAGE.rglob("*.py") for name in evil.intersection(calls_of(path))}
    assert found == {("loading.py", "exec")}
    imported = "from sympy.parsing", "sympy.lambdify(", "import pickle", "pickle.loads"
    texts = {path.name: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    assert not [(name, word) for name, text in texts.items() for word in imported if word in text]


@convention("135")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_135_no_function_takes_text_for_an_operand(name: str, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    evil = "__import__('pathlib').Path('executed').touch()"
    entry, made = FUNCTIONS[name], []

    def make(*arguments: Any, **options: Any) -> str:
        made.append(evil)
        return evil

    try:
        arguments = entry.examples[0](lambda *arguments, **options: arguments, make) if entry.examples else ()
    except (AttributeError, TypeError, ValueError):  # an example that computes with its operands
        arguments = ()
    for count in (1, 2, 3):  # text for sizes and options too: names of sizes are text, so it may be taken, not executed
        with contextlib.suppress(Exception):
            entry.function(*[evil] * count)
    assert not list(tmp_path.iterdir())
    if entry.examples and not made:
        return  # nothing but sizes and numbers
    with pytest.raises((TypeError, ValueError)):
        entry.function(*(arguments or [evil] * (len(entry.primitive.domain) if entry.primitive else 1)))
    assert not list(tmp_path.iterdir())


@convention("135")
@pytest.mark.parametrize("call", [
    lambda text: sb.grad(text, sb.tensor("x", ())), lambda text: sb.grad(sb.tensor("x", ()), text),
    lambda text: sb.lambdify([text], sb.tensor("x", ())), lambda text: sb.from_sympy(text),
    lambda text: sb.to_sympy(text), lambda text: sb.tensor("x", ()) * text, lambda text: sb.tensor("x", ("n",))[text],
    lambda text: sb.tensor("x", ()).subs(sb.tensor("x", ()), text), lambda text: sb.derive(text, text),
    lambda text: sb.evaluate(text, {}), lambda text: sb.loads(text), lambda text: sb.hessian(text, text),
])  # fmt: skip
def test_135_no_entry_point_takes_text_for_an_expression(call: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((TypeError, ValueError)):
        call("__import__('pathlib').Path('executed').touch()")
    assert not list(tmp_path.iterdir())


@convention("136", "137", "138")
@pytest.mark.parametrize("text", ["__import__('os').system('true')", "evil or abs", 'x; system("id");', "a b", "x\n"])
def test_136_137_138_sympy_names_that_are_code_are_refused(text: str) -> None:
    x = sympy.Symbol("x")
    for expression in (sympy.Symbol(text), sympy.Symbol(text) + x, sympy.Function(text)(x)):
        with pytest.raises(sb.errors.SymbackError):
            sb.from_sympy(expression)
        with pytest.raises(sb.errors.SymbackError):
            sb.lambdify([x], expression)


@convention("139", "140")
@pytest.mark.parametrize("name", ["exp", "sin", "np", "lambda", "None", "class", "f", "checked", "return"])
def test_139_140_names_that_emitted_code_needs_are_renamed_and_said_so(name: str) -> None:
    try:
        x = sb.tensor(name, ())
    except sb.errors.InvalidNameError as error:
        assert name in str(error)  # noqa: PT017
        return
    f = sb.lambdify([x], sb.exp(x) + sb.sin(x))
    assert np.isclose(f(1.0), np.exp(1) + np.sin(1))
    shown = f"{name}_" in f.source
    assert shown or f"({name})" in f.source
    if shown:
        assert f"{name}_" in f.source[f.source.index('"""', f.source.index("def f")) :]


@convention("140", "141", "142")
@pytest.mark.parametrize(
    "name", ["1x", "x y", "", "x\n", None, "__class__", "ª", "𝐱", "fi".replace("fi", "ﬁ"), "é", 3, "a-b"]
)
def test_140_141_142_names_are_ascii_identifiers(name: Any) -> None:
    for make in (lambda: sb.tensor(name, ()), lambda: sb.let(name, sb.tensor("x", ()) * 2)):
        with pytest.raises((sb.errors.InvalidNameError, sb.errors.UsageError)):
            make()


@convention("143")
def test_143_names_of_the_user_are_not_those_of_emitted_code() -> None:
    names = [f"x{k}" for k in range(4)] + [f"t{k}" for k in range(4)] + ["exp", "r", "n", "N", "d_x0", "a", "x"]
    variables = [sb.tensor(name, ("n",)) for name in names]
    shared = [sb.exp(x * y) for x, y in pairwise(variables)]
    loss = sb.sum(sum(a * b * a for a, b in pairwise(shared)))
    f = sb.lambdify(variables, {"loss": loss, "gradient": sb.grad(loss, variables)})
    point = {x: np.random.default_rng(0).uniform(-0.5, 0.5, 3) + 0.1 * k for k, x in enumerate(variables)}
    found = f(*point.values())
    wanted = sb.evaluate([loss, *sb.grad(loss, variables)], point)
    for one, other in zip([found["loss"], *found["gradient"]], wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-13)


@convention("144")
@pytest.mark.parametrize("look", [r"\input{/etc/passwd}", "a%b", "a&b#c", r"\write18{id}", "a}b", "$x$"])
def test_144_looks_cannot_break_out_of_print(look: str) -> None:
    with pytest.raises(sb.errors.InvalidNameError):
        sympy.latex(sb.tensor("x", (), latex=look) * 2)
    with pytest.raises(sb.errors.SymbackError):
        sb.from_sympy(sympy.Symbol(look))


@convention("145")
def test_145_compiled_functions_pickle_and_graphs_are_json() -> None:
    x = sb.tensor("x", ("n",))
    f = pickle.loads(pickle.dumps(sb.lambdify([x], sb.sum(x * x))))
    assert f(np.ones(3)) == 3
    assert sb.loads(sb.dumps(sb.sum(x * x))) is sb.sum(x * x)
    for text in ("[]", '{"symback": 1}', "1", "", "{", '{"nodes": [["__import__"]]}'):
        with pytest.raises((sb.errors.InputError, ValueError)):
            sb.loads(text)


# -- 10. depth, sharing, calls ---------------------------------------------------------------------------------


@convention("146")
def test_146_a_chain_of_ten_thousand() -> None:
    x = sb.tensor("x", ())
    node, value, slope = x, 1.0, 1.0
    for _ in range(10_000):
        node, value, slope = sb.sin(node), np.sin(value), slope * np.cos(value)
    found = sb.lambdify([x], [node, sb.grad(node, x)])(1.0)
    np.testing.assert_allclose(found, [value, slope], rtol=1e-9)


@convention("147")
def test_147_a_diamond_is_linear_in_its_depth() -> None:
    x = sb.tensor("x", ())
    node, value, slope = x, 1.0, 1.0
    for _ in range(100):
        node = node / 2 + sb.sin(node) * node
        value, slope = value / 2 + np.sin(value) * value, slope * (0.5 + np.sin(value) + np.cos(value) * value)
    f = sb.lambdify([x], [node, sb.grad(node, x)])
    np.testing.assert_allclose(f(1.0), [value, slope], rtol=1e-9)
    assert f.source.count("\n") < 2000


def test_a_large_constant_is_written_as_bytes_and_not_number_by_number() -> None:
    x, c = sb.tensor("x", (10**6,)), np.random.default_rng(0).uniform(size=10**6)
    f = sb.lambdify([x], sb.sum(x * c))
    assert f.source.count("\n") < 1000
    assert np.isclose(f(np.ones(10**6)), c.sum())


@convention("149")
def test_149_threads_do_not_disturb_each_other() -> None:
    x = sb.tensor("x", ("n",))
    f = sb.lambdify([x], [sb.cumsum(x) * x, sb.grad(sb.sum(sb.cumsum(x) * sb.exp(x)), x)])
    arrays = [np.random.default_rng(k).uniform(size=20 + k % 3) for k in range(400)]
    wanted = [f(array) for array in arrays]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(f, arrays))
    for one, other in zip(found, wanted, strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@convention("150")
def test_150_outputs_outlive_the_next_call_and_changes_of_the_input() -> None:
    x = sb.tensor("x", (3,))
    f = sb.lambdify([x], [x, 2 * x, x[1:]])
    given = np.ones(3)
    kept = f(given)
    f(np.zeros(3))
    given[:] = 7
    assert [array.tolist() for array in kept] == [[1, 1, 1], [2, 2, 2], [1, 1]]


@convention("151")
def test_151_inputs_may_be_one_array_and_are_not_written() -> None:
    x, y = sb.tensor("x", (3,)), sb.tensor("y", (3,))
    f = sb.lambdify([x, y], [sb.grad(sb.sum(x * x * y), [x, y]), sb.set_at(x, 0, 9.0) + y])
    given = np.array([1.0, 2.0, 3.0])
    given.flags.writeable = False
    (by_x, by_y), moved = f(given, given)
    assert same(by_x, 2 * given**2)
    assert same(by_y, given**2)
    assert same(moved, [10, 4, 6])


# -- what went wrong elsewhere -----------------------------------------------------------------------------------


def test_u26_a_jacobian_of_branches_has_no_structural_zeros() -> None:
    x = sb.tensor("x", (3,))
    jacobian = sb.lambdify([x], sb.jacobian(sb.where(x > 0, x * x, 3 * x), x))(np.array([1.0, -1.0, 2.0]))
    assert same(jacobian, np.diag([2, 3, 4]))


def test_u31_statistics_are_no_constants_at_third_order() -> None:
    x = sb.tensor("x", (3,))
    z = (x - sb.mean(x)) / sb.std(x)
    second = sb.grad(sb.sum(sb.grad(sb.sum(z**3), x) * [1.0, 2.0, -1.0]), x)
    assert sb.check_grad(sb.sum(second * [1.0, -1.0, 2.0]), x).passed


def test_u34_powers_of_shared_expressions() -> None:
    x = sympy.Symbol("x0", positive=True)
    y = sympy.Symbol("x1")
    assert sb.lambdify([x, y], (x + y) ** 2 + (x + y) ** 2 * y)(1.0, 1.0) == 8


def test_u40_structures_are_compared_whole() -> None:
    x = sb.tensor("x", ())
    with pytest.raises(sb.errors.SymbackError):
        sb.check_grad(x * x, [x], at={x: 1.0}, gradient=[2.0, 3.0])
