"""The order of products, and what emitted code costs."""

import itertools
import random
from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
import pytest
import sympy

import networks
import symback as sb
from symback.codegen.passes.contraction import MOST_SUBSETS, best_order, chain_of, size_hints
from symback.codegen.passes.reassociate import lower_order
from symback.nodes.leaves import Variable

k, l, m, n, p = (sb.tensor("s", (name,)).shape[0] for name in "klmnp")  # noqa: E741


def body(inputs: list[Any], outputs: Any, **options: Any) -> str:
    """Return the statements of the emitted function on one line."""
    source = sb.lambdify(inputs, outputs, check=False, **options).source
    return "; ".join(line.strip() for line in source.rpartition('"""\n')[2].splitlines())


# -- orders -------------------------------------------------------------------------------------------------


def all_trees(items: tuple[int, ...]) -> Iterator[Any]:
    """Yield every way to multiply the items two at a time, in any order."""
    if len(items) == 1:
        yield items[0]
    first, *rest = items
    for count in range(len(rest)):
        for beside in itertools.combinations(rest, count):
            left, right = (first, *beside), tuple(item for item in rest if item not in beside)
            yield from itertools.product(all_trees(left), all_trees(right))


def counted(labels: list[str], out: str, sizes: dict[str, int], tree: Any) -> int:
    """Count the operations of an order of a product without common axes that stay, straight from the definition."""

    def visit(part: Any) -> tuple[set[int], int]:
        if isinstance(part, int):
            return {part}, 0
        (left, one), (right, other) = map(visit, part)
        kept = []
        for side in (left, right):
            beyond = set(out).union(*(labels[j] for j in range(len(labels)) if j not in side))
            kept.append(set().union(*(labels[j] for j in side)) & beyond)
        outside = set(out).union(*(labels[j] for j in range(len(labels)) if j not in left | right))
        every = kept[0] | kept[1]
        return left | right, one + other + prod(sizes[x] for x in every) * (2 if every - outside else 1)

    return visit(tree)[1]


def left_to_right(count: int) -> Any:
    """Return the tree of A @ B @ C @ ..."""
    tree: Any = 0
    for position in range(1, count):
        tree = (tree, position)
    return tree


@pytest.mark.parametrize("seed", range(12))
def test_orders_are_the_cheapest_of_all_parenthesisations(seed: int) -> None:
    draw = random.Random(seed)
    count = draw.choice([3, 4, 5])
    sizes = {letter: draw.choice([2, 3, 7, 20, 50, 300]) for letter in "abcdef"}
    labels = ["abcdef"[j : j + 2] for j in range(count)]
    if seed % 3 == 0:
        labels[-1] = labels[-1][0]  # a vector at the end
    if seed % 4 == 0:
        draw.shuffle(labels)
    out = "a" if seed % 3 == 0 else "a" + "abcdef"[count]
    terms = [(sb.tensor(f"A{j}", tuple(group)), tuple(map(ord, group))) for j, group in enumerate(labels)]
    hints = size_hints("test", {x: sizes[x] for x in set("".join(labels))}, [node for node, _ in terms])
    found = best_order(terms, tuple(map(ord, out)), hints)
    assert found.cost == min(counted(labels, out, sizes, tree) for tree in all_trees(tuple(range(count))))
    assert found.cost == counted(labels, out, sizes, found.tree)


@pytest.mark.parametrize("seed", range(10))
def test_typed_chains_are_multiplied_in_the_cheapest_order_if_that_saves_half(seed: int) -> None:
    draw = random.Random(seed)
    count = draw.choice([3, 4, 5])
    sizes = {letter: draw.choice([2, 5, 20, 80]) for letter in "abcdef"[: count + 1]}
    labels = ["abcdef"[j : j + 2] for j in range(count)]
    matrices = [sb.tensor(f"A{j}", tuple(group)) for j, group in enumerate(labels)]
    chain = matrices[0]
    for matrix in matrices[1:]:
        chain = chain @ matrix
    typed = counted(labels, "a" + "abcdef"[count], sizes, left_to_right(count))
    best = min(counted(labels, "a" + "abcdef"[count], sizes, tree) for tree in all_trees(tuple(range(count))))
    found = sb.cost(chain, sizes=sizes).at(**sizes).operations
    assert found == (best if 2 * best <= typed else typed)
    point = {A: np.random.default_rng(j).normal(size=[sizes[x] for x in labels[j]]) for j, A in enumerate(matrices)}
    value = sb.lambdify(matrices, chain, sizes=sizes)(*point.values())
    np.testing.assert_allclose(value, sb.evaluate(chain, point), rtol=1e-10, atol=1e-10)


def test_long_chains_are_never_worse_than_as_they_stand() -> None:
    draw = random.Random(5)
    count = MOST_SUBSETS + 6
    letters = "abcdefghijklmno"
    sizes = {letter: draw.choice([2, 5, 20, 80, 300]) for letter in letters}
    terms = [(sb.tensor(f"A{j}", tuple(letters[j : j + 2])), (j, j + 1)) for j in range(count)]
    hints = size_hints("test", {x: sizes[x] for x in letters[: count + 1]}, [node for node, _ in terms])
    dimensions = [sizes[letter] for letter in letters[: count + 1]]
    best = {(j, j + 1): 0 for j in range(count)}  # the textbook's dynamic programming over runs
    for width in range(2, count + 1):
        for start in range(count - width + 1):
            stop = start + width
            best[start, stop] = min(
                best[start, cut] + best[cut, stop] + 2 * dimensions[start] * dimensions[cut] * dimensions[stop]
                for cut in range(start + 1, stop)
            )
    assert best_order(terms, (0, count), hints).cost <= best[0, count]


A, B, C = sb.tensor("A", (m, n)), sb.tensor("B", (n, k)), sb.tensor("C", (k, l))
S, T = sb.tensor("S", (n, n)), sb.tensor("T", (n, n))
X, w, s = sb.tensor("X", (m, n)), sb.tensor("w", (n,)), sb.tensor("s", (m,))
x, v, u, b = sb.tensor("x", (k,)), sb.tensor("v", (l,)), sb.tensor("u", (m,)), sb.tensor("b", (n,))


@pytest.mark.parametrize(
    ("product", "text"),
    [
        (lambda: (A @ B) @ x, "return A @ (B @ x)"),
        (lambda: (A @ B) @ C @ v, "return A @ (B @ (C @ v))"),
        (lambda: u @ (A @ B), "return u @ A @ B"),
        (lambda: (A @ B).T @ u, "return B.T @ (A.T @ u)"),
        (lambda: X.T @ X @ w, "return X.T @ (X @ w)"),
        (lambda: S @ T @ w, "return S @ (T @ w)"),
        (lambda: 3 * (S @ T) @ w / 7, "return 3 * (S @ (T @ w)) / 7"),
        (lambda: sb.outer(u, w) @ w, "return u * (w @ w)"),
        (lambda: sb.sum(A @ B, axis=0), "return A.sum(axis=0) @ B"),
        (lambda: sb.sum(A @ B), "return A.sum(axis=0) @ B.sum(axis=1)"),
        (lambda: sb.trace(A @ sb.tensor("D", (n, m))), "return np.vdot(A, D.T)"),
        (lambda: sb.einsum("ij,im,jk->mk", A, sb.tensor("D", (m, m)), B), "return D.T @ A @ B"),
    ],
)
def test_lower_order_of_growth_decides_without_hints(product: Any, text: str) -> None:
    node = product()
    assert body(variables_of(node), node) == text


@pytest.mark.parametrize(
    ("product", "text"),
    [
        (lambda: A @ B @ C, "return A @ B @ C"),
        (lambda: A @ (B @ C), "return A @ (B @ C)"),
        (lambda: (S @ T) @ S, "return S @ T @ S"),
        (lambda: S @ (T @ S), "return S @ (T @ S)"),
        (lambda: A.T @ A, "return A.T @ A"),
        (lambda: A @ A.T, "return A @ A.T"),
        (lambda: X.T @ sb.diag(s) @ X, "return (X.T * s) @ X"),
        (lambda: (A @ B).T @ sb.tensor("D", (m, m)), "return (A @ B).T @ D"),
        (lambda: sb.let("P", A @ B) @ x, "P = A @ B; return P @ x"),
        (lambda: [A @ B, (A @ B) @ x], "product = A @ B; return [product, product @ x]"),
        (lambda: sb.sin(A @ B) @ x, "return np.sin(A @ B) @ x"),
        (lambda: (A @ B).astype("float32") @ x.astype("float32"), None),
    ],
)
def test_what_the_user_wrote_stays_where_nothing_is_gained(product: Any, text: str | None) -> None:
    nodes = product()
    found = body(variables_of(nodes), nodes)
    assert found == text if text else "(A @ B)" in found


def test_results_are_not_copied_to_be_transposed() -> None:
    assert body([A, B], (A @ B).T) == "return B.T @ A.T"
    assert body([A, B], -2 * (A @ B).T) == "return -2 * (B.T @ A.T)"


def test_products_that_several_gradients_use_are_opened_where_that_is_cheaper() -> None:
    loss = sb.sum((A @ B @ x - u) ** 2)
    found = body([A, B, x, u], sb.grad(loss, [x]))
    assert found == "d_x = 2 * (B.T @ (A.T @ (A @ (B @ x) - u))); return [d_x]"
    matrices = [S @ T @ sb.tensor(name, (n, n)) for name in "UVW"]
    assert body(variables_of(matrices), matrices).startswith("product = S @ T; ")


def test_nothing_is_computed_twice() -> None:
    residual = A @ B @ x - u
    found = body([A, B, x, u], sb.grad(sb.sum(residual**2), [A, x]))
    assert (found.count("B @ x"), found.count("A @ "), found.count("A.T @ ")) == (1, 1, 1)
    assert body([w, b], [sb.sin(w + b) + sb.exp(b + w), sb.cos(w * b) - sb.tanh(b * w)]) == (
        "s = w + b; product = w * b; return [np.sin(s) + np.exp(s), np.cos(product) - np.tanh(product)]"
    )
    named = body([w, b], [sb.sin(w * b), sb.let("z", b * w)])
    assert named == "z = b * w; return [np.sin(z), z]"


def test_deep_graphs_are_walked_without_recursion() -> None:
    products, chain = w, w
    for _ in range(1100):  # beyond the recursion limit
        chain = S @ chain
        products = products * b[::-1] * chain
    source = sb.lambdify([w, b, S], [products, chain], check=False).source
    assert source.count("S @ ") == 1100


def test_hints_change_the_order() -> None:
    inputs = [A, B, C]
    small = {"m": 1000, "n": 1000, "k": 1000, "l": 2}
    assert body(inputs, A @ B @ C, sizes=small) == "return A @ (B @ C)"
    assert body(inputs, A @ (B @ C), sizes=small | {"m": 2, "l": 1000}) == "return A @ B @ C"
    assert body(inputs, A @ B @ C, sizes=small | {"l": 900}) == "return A @ B @ C"
    flat = sb.einsum("ij,jk,kl->il", A, B, C)
    assert body(inputs, flat, sizes=small) == "return A @ (B @ C)"
    assert body(inputs, flat, sizes={m: 2}) == "return A @ B @ C"
    random_ = np.random.default_rng(0)
    point = [random_.normal(size=shape) for shape in ((3, 4), (4, 5), (5, 6))]
    for sizes in (None, small):
        value = sb.lambdify(inputs, A @ B @ C, sizes=sizes)(*point)
        np.testing.assert_allclose(value, point[0] @ point[1] @ point[2], rtol=1e-13)


@pytest.mark.parametrize(
    ("one", "other", "lower"),
    [
        (m * n + n * k, m * n * k + m * k, True),
        (n**2, n**3 + n, True),
        (m * n**2, n**2, False),
        (n**2, m * n**2, True),
        (100 * n**2, n**2, False),
        (m * k, n * k, False),
        (n * 1000, n**2, True),
        (sympy.Integer(5), n, True),
        (sympy.Integer(5), sympy.Integer(6), False),
    ],
)
def test_order_of_growth(one: sympy.Expr, other: sympy.Expr, lower: bool) -> None:
    assert lower_order(one, other) is lower


def variables_of(nodes: Any) -> list[Variable]:
    """Return the variables of a graph."""
    from symback.graph import toposort

    roots = nodes if isinstance(nodes, list) else [nodes]
    return [node for node in toposort(roots) if isinstance(node, Variable)]


def random_product(draw: random.Random, depth: int) -> Any:
    """Return a nested product of matrices of shape (4, 4) and vectors, of shape (4, 4), (4,) or ()."""
    if depth == 0:
        return (
            sb.tensor(draw.choice("PQR"), ("n", "n")) if draw.random() < 0.7 else sb.tensor(draw.choice("yz"), ("n",))
        )
    one, other = random_product(draw, depth - 1), random_product(draw, draw.randrange(depth))
    choices: dict[str, Any] = {
        "matmul": lambda: one @ other if one.shape and other.shape else one * other,
        "transposed": lambda: one.T @ other if one.shape and other.shape else one * other,
        "hadamard": lambda: one * other,
        "outer": lambda: sb.outer(one, other) if one.shape == other.shape == w.shape else other * one,
        "sum": lambda: sb.sum(one, axis=0) if one.shape else one,
        "keepdims": lambda: sb.sum(one, axis=-1, keepdims=True) * other if one.shape else one - other,
        "trace": lambda: sb.trace(one) * other if len(one.shape) == 2 else other,
        "diagonal": lambda: sb.diag(one) if one.shape else one,
        "column": lambda: one[:, None] * other if one.shape else one,
        "scaled": lambda: -0.5 * one @ other if one.shape and other.shape else one,
    }
    try:
        made = choices[draw.choice(sorted(choices))]()
    except sb.errors.ShapeError:  # an axis of size 1 does not fit
        return one
    return made if len(made.shape) <= 2 else sb.sum(made, axis=0)


@pytest.mark.parametrize("seed", range(60))
def test_reordered_products_have_the_oracles_values(seed: int) -> None:
    draw = random.Random(seed)
    node = random_product(draw, 4)
    inputs = [variable for variable in variables_of(node) if variable.shape]
    outputs = [node, *sb.grad(sb.sum(node), inputs, disconnected="zero")]
    rng = np.random.default_rng(seed)
    point = {x: rng.normal(size=(4,) * len(x.shape)) for x in inputs}
    values = sb.lambdify(inputs, outputs, sizes={"n": draw.choice([2, 50])})(*point.values())
    for value, expected in zip(values, sb.evaluate(outputs, point), strict=True):
        assert value.shape == expected.shape
        np.testing.assert_allclose(value, expected, rtol=1e-9, atol=1e-9 * max(1, np.abs(expected).max(initial=0)))


# -- what it costs ------------------------------------------------------------------------------------------

N, h = (sb.tensor("s", (name,)).shape[0] for name in "Nh")


def test_two_layers_cost_what_a_hand_counts() -> None:
    network = networks.two_layers(sb.tanh)
    found = sb.cost([network.loss, *sb.grad(network.loss, network.parameters)])
    forward = (2 * h * n + h) + h + (2 * m * h + m) + m + m + (2 * m + 1)
    backward = 3 * m + (2 * m * h + 3 * h) + h * n + m * h
    assert sympy.expand(found.operations - forward - backward) == 0
    assert found.functions == {"tanh": h + m}
    assert found.at(n=3, h=4, m=2).operations == (forward + backward).subs({n: 3, h: 4, m: 2})


def test_a_batch_costs_what_a_hand_counts() -> None:
    network = networks.batch()
    found = sb.cost([network.loss, *sb.grad(network.loss, network.parameters)])
    products = 2 * N * h * n + 2 * N * m * h + 2 * N * m * h + 2 * N * h * n + 2 * N * m * h
    entrywise = 2 * (N * h + N * m) + N * m + (2 * N * m + 2) + 4 * N * m + 3 * N * h + N * h + N * m
    assert sympy.expand(found.operations - products - entrywise) == 0
    assert found.sizes == ["N", "h", "m", "n"]
    assert sum(row.operations for row in found.rows) - found.operations == 0
    assert sum(row.bytes for row in found.rows) - found.bytes == 0


square = sb.tensor("D", (2, n, n))


@pytest.mark.parametrize(
    ("node", "operations", "memory"),
    [
        (A @ B, 2 * m * n * k, 8 * (m * n + n * k + m * k)),
        (A.T @ A, m * n * (n + 1), 8 * (m * n + n**2)),
        (A @ w, 2 * m * n, 8 * (m * n + n + m)),
        (w @ w, 2 * n, 8 * n),
        (sb.outer(u, w), m * n, 8 * (m + n + m * n)),
        (sb.sum(A, axis=0), m * n, 8 * (m * n + n)),
        (A + A * w, 2 * m * n, 8 * (2 * m * n + n) + 24 * m * n),
        (A - s[:, None], m * n, 8 * (2 * m * n + m)),
        (2 * A, m * n, 16 * m * n),
        (A.T, 0, 16 * m * n),
        (A.T + 1, m * n, 16 * m * n),
        (1 / w, n, 16 * n),
        (-2 / w, n, 16 * n),
        (sb.reciprocal(w), n, 16 * n),
        (sb.exp(1 / w), 2 * n, 32 * n),
        (T @ (1 / w), 2 * n**2 + n, 8 * n**2 + 32 * n),
        (sb.sum(1 / w), 2 * n, 24 * n),
        (1 / w + b, 2 * n, 40 * n),
        (1 / w / b, 2 * n, 40 * n),
        ((1 / w) ** 2, 2 * n, 40 * n),
        ([1 / w, b / w], 2 * n, 40 * n),
        (b / w, n, 24 * n),
        (b * (3 / w), 2 * n, 40 * n),
        (b / (w @ w), 3 * n, 24 * n),
        (w**2, n, 16 * n),
        (-A, 0, 16 * m * n),
        (-2 * A, m * n, 16 * m * n),
        (b - w, n, 24 * n),
        (sb.exp(-w), n, 32 * n),
        (-(A @ w), 2 * m * n, 8 * (m * n + n + m) + 16 * m),
        (w + sb.tensor("i", (n,), dtype="int8"), n, 17 * n),
        (w * sb.tensor("i", (n,), dtype="int8"), n, 17 * n),
        (sb.sort(A, axis=0), m * n * sympy.log(m, 2), 16 * m * n),
        (sb.median(sb.tensor("Q", (2, 4, n)), axis=(0, 1)), 8 * n * sympy.log(8, 2), 72 * n),
        (A[1:] + 1, (m - 1) * n, 16 * (m - 1) * n),
        (sb.tensor("f", (n,), dtype="float32") * 2, n, 8 * n),
        (sb.exp(A) / 3, 2 * m * n, 32 * m * n),
        (sb.linalg.solve(S, b), 2 * n**3 / 3 + 2 * n**2, 8 * (n**2 + 2 * n)),
        (sb.linalg.solve(S, B), 2 * n**3 / 3 + 2 * n**2 * k, 8 * (n**2 + 2 * n * k)),
        (sb.linalg.solve(square, b), 4 * n**3 / 3 + 4 * n**2, 8 * (2 * n**2 + 3 * n)),
        (sb.linalg.cholesky(S), n**3 / 3, 16 * n**2),
        (sb.linalg.inv(square), 4 * n**3, 32 * n**2),
        (sb.linalg.eigvalsh(S), 4 * n**3 / 3, 8 * (n**2 + n)),
        (list(sb.linalg.eigh(S)), 9 * n**3, 8 * (2 * n**2 + n)),
        (sb.sort(w), n * sympy.log(n, 2), 16 * n),
        (sb.grad(sb.sum(w[1:] ** 3), w), None, None),
    ],
)
def test_costs_by_hand(node: Any, operations: Any, memory: Any) -> None:
    found = sb.cost(node)
    if operations is not None:
        assert sympy.expand(sympy.expand_log(found.operations - operations, force=True)) == 0
        assert sympy.expand(found.bytes - memory) == 0
    assert found.at(**dict.fromkeys(found.sizes, 4)).operations >= 0


def test_nothing_costs_nothing() -> None:
    assert sb.cost(sb.sort(w)).at(n=0).operations == 0
    assert sb.cost(sb.sort(sb.tensor("z", (0,)))).operations == 0
    assert sb.cost(sb.sort(w[2:])).at(n=2).operations == 0
    empty = sb.tensor("P", (0, n))
    assert sb.cost(empty @ empty.T).operations == 0
    part = A[:, 2:]
    assert sympy.expand(sb.cost(part.T @ part).operations - m * (n - 2) * (n - 1)) == 0
    assert sb.cost(part.T @ part).at(n=2).operations == 0
    assert sb.cost(sb.sort(A, axis=0)).at(n=5, m=8).operations.evalf() == pytest.approx(120)


def test_sizes_are_put_in_one_after_the_other() -> None:
    assert sb.cost(A @ w).at(m=2).at(n=3).at(n=3).operations == 12
    assert sb.cost(A.T).at(m=3).bytes == 48 * n
    with pytest.raises(sb.errors.InputError, match="cost: size n is 3 here already, not 4"):
        sb.cost(A @ w).at(n=3).at(n=4)


def test_functions_are_counted_by_name() -> None:
    found = sb.cost(sb.sum(sb.exp(A) * sb.sigmoid(A) * sb.maximum(A, 0) * A**2))
    assert found.functions == {"exp": m * n, "sigmoid": m * n}


def make(name: str, shape: Any, dtype: str = "float64", **drawn: Any) -> Any:
    """Make a variable for an example of a primitive."""
    return sb.tensor(name, shape, dtype=dtype)


@pytest.mark.parametrize("name", sorted(sb.PRIMITIVES))
def test_every_primitive_counts(name: str) -> None:
    primitive = sb.PRIMITIVES[name]
    if primitive.kind == "elementwise":
        from symback.nodes.apply import Map, Operation

        examples = [Map(Operation(name), *[sb.tensor(f"x{j}", (3,)) for j in range(len(primitive.domain))])]
    else:
        examples = [example(make) for example in primitive.examples]
    for node in examples:
        found = sb.cost(node)
        assert not found.sizes
        assert 0 <= found.operations < 10**6
        assert found.bytes >= 0


def test_a_cost_prints_as_a_table() -> None:
    lines = str(sb.cost(sb.let("y", sb.tanh((A @ B) @ x)))).splitlines()
    assert lines[0].split() == ["statement", "operations", "functions", "bytes"]
    assert lines[1].startswith("y = np.tanh(A @ (B @ x))  2*k*n + 2*m*n + m  m")
    assert lines[2].startswith("total")
    assert lines[3] == "functions: tanh: m"


def test_the_docstring_states_the_cost() -> None:
    source = sb.lambdify([A, w], sb.sin(A @ w), cost=True).source
    assert "Cost: 2*m*n + m operations (functions among them: sin: m)" in source
    assert "Cost:" not in sb.lambdify([A, w], A @ w).source
    assert "Cost: 2*m*n + m operations" in sb.lambdify([A, w], sb.sin(A @ w), cost=True, style="fast").source


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: sb.lambdify([A, w], A @ w, sizes={"q": 3}),
            "lambdify: no shape has a size called 'q'; there are m, n",
        ),
        (lambda: sb.cost(A @ w, sizes={"q": 3}), "cost: no shape has a size called 'q'; there are m, n"),
        (lambda: sb.cost(sb.tensor("x", (3,)), sizes={"n": 3}), "all sizes are fixed numbers"),
        (lambda: sb.cost(A @ w, sizes={"n": -1}), "cost: size n must be an integer from 0, not '-1'"),
        (lambda: sb.cost(A @ w, sizes={"n": 1.5}), "cost: size n must be an integer"),
        (lambda: sb.cost(A @ w, sizes=[3]), r"cost: sizes must be a mapping from names to integers, .* not list"),
        (lambda: sb.cost(A @ w).at(q=3), "cost: no shape has a size called 'q'; there are m, n"),
        (lambda: sb.cost(A @ w).at(n=True), "cost: size n must be an integer"),
    ],
)
def test_sizes_are_checked(call: Any, message: str) -> None:
    with pytest.raises(sb.errors.InputError, match=message):
        call()


def test_costs_are_of_nodes() -> None:
    with pytest.raises(sb.errors.UsageError, match="cannot use object in a graph"):
        sb.cost(object())


def test_orders_are_chosen_by_numbers_and_counted_in_symbols() -> None:
    terms = [(A, (0, 1)), (B, (1, 2)), (x, (2,))]
    chain = chain_of(terms, (0,), lambda size: size)
    assert sympy.expand(chain.cost(((0, 1), 2)) - (2 * m * n * k + 2 * m * k)) == 0
    assert sympy.expand(chain.cost((0, (1, 2))) - (2 * n * k + 2 * m * n)) == 0
