"""Documents that are no graphs, or were damaged: each gives an error of symback's own, and nothing else happens."""

import copy
import json
import random
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy

import symback as sb
from symback import errors
from symback.graph import toposort
from symback.interop.serialize import dumps, loads
from symback.nodes.apply import Apply, Operation
from symback.nodes.leaves import exact
from symback.nodes.node import Node
from symback.nodes.rows import from_rows
from symback.nodes.shapes import as_size, product, simplify_size
from test_serialize import flat, network


def document(*rows: list[Any], structure: Any = 0) -> str:
    """Write a document by hand; the last row is the root."""
    numbered = [*rows, ["roots", len(rows) - 1]]
    return json.dumps({"format": "symback graph", "version": 1, "structure": structure, "rows": numbered})


LABEL, SCALAR = ["label", "x", None, "let"], ["shape"]
X = [LABEL, SCALAR, ["Variable", 0, 1, "float64"]]
V = [LABEL, ["shape", 3], ["Variable", 0, 1, "float64"]]

BAD = {
    "text": ("not JSON", "no JSON"),
    "deep nesting": ("[" * 100_000, "no JSON"),
    "not text": (b"{}", "it is bytes"),
    "not a number": ('{"format": NaN}', "the float NaN"),
    "a float": ('{"format": 1.5}', "the float 1.5"),
    "a long integer": ('{"format": ' + "9" * 5000 + "}", "no JSON"),
    "a list": ("[]", "its format is not"),
    "another format": ('{"format": "onnx", "version": 1}', "its format is not"),
    "another version": ('{"format": "symback graph", "version": 2}', "its version is 2; this release reads version 1"),
    "a boolean version": ('{"format": "symback graph", "version": true}', "its version is True"),
    "no rows": ('{"format": "symback graph", "version": 1}', "it must have"),
    "empty rows": (document().replace('[["roots", -1]]', "[]"), "no list of lists"),
    "no roots": (document(*X).replace("roots", "Plus"), "does not list the roots"),
    "an unknown kind": (document(["Lambda", 0]), "graph: row 0: the kind 'Lambda' is unknown"),
    "a kind that is a list": (document([["Map"], 0]), "row 0"),
    "a forward row": (document(["shape"], ["Variable", 2, 0, "float64"], LABEL), "row 1: '2' is not the number"),
    "its own row": (document(["Plus", 0, 0]), "'0' is not the number of an earlier row"),
    "a negative row": (document(*X, ["Plus", -1, 2]), "'-1' is not the number"),
    "a row true": (document(*X, ["Plus", True, 2]), "'True' is not the number"),
    "a row of another kind": (document(*X, ["Plus", 0, 2]), "row 0 is no Node"),
    "a root that is no node": (document(LABEL), "row 0 is no Node"),
    "too few fields": (document(["Variable"]), "TypeError"),
    "a bad name": (document(["label", "x); import os", None, "let"]), "no word of letters"),
    "a dunder name": (document(["label", "__import__", None, "let"]), "no word of letters"),
    "a name that is no string": (document(["label", 3, None, "let"]), "no word of letters"),
    "a look that is no string": (document(["label", "x", 3, "let"]), "latex must be a string"),
    "a dtype that is none": (document(LABEL, SCALAR, ["Variable", 0, 1, "O"]), "'O' is no dtype"),
    "complex": (document(LABEL, SCALAR, ["Variable", 0, 1, "complex128"]), "is no dtype"),
    "a negative size": (document(["shape", -1]), "a size is negative"),
    "a huge size": (document(["shape", hex(2**63)]), "larger than any array can have"),
    "too many axes": (document(["shape", *[1] * 65]), "has 65 axes"),
    "text as a size": (document(["shape", "__import__('os')"]), "is no integer"),
    "a name as a size": (document(["shape", "n"]), "is no integer"),
    "code in a size": (document(["shape", ["size", [1, "exit()", 1]]]), "no word of letters"),
    "a huge exponent": (document(["shape", ["size", [1, "n", 10**9]]]), "the exponent 1000000000"),
    "an unfinished term": (document(["shape", ["size", [1, "n"]]]), "no term of a size"),
    "another list as a size": (document(["shape", ["tuple", 1]]), "is no size"),
    "an unknown primitive": (document(["operation", "eval"]), "primitive 'eval': it is not declared"),
    "a primitive that is a list": (document(["operation", ["sin"]]), "no word of letters"),
    "code as a parameter": (document(["operation", "astype", "f4'); import os"]), "no word of letters"),
    "text in a tuple": (document(["operation", "reshape_to", ["tuple", "n"]]), "is no parameter"),
    "an unknown parameter": (document(["operation", "sin", {"a": 1}]), "is no parameter"),
    "a nested parameter": (document(["operation", "sin", json.loads('["tuple",' * 40 + "1" + "]" * 40)]), "parameter"),
    "wrong arity": (document(*X, ["operation", "sin"], ["Map", 3, 2, 2]), "it takes 1 operands, not 2"),
    "no operand": (document(["operation", "sin"], ["Map", 0]), "at least 1 are needed"),
    "a structural map": (document(*V, ["operation", "reshape_to", ["tuple", 3]], ["Map", 3, 2]), "another kind"),
    "an applied sine": (document(*X, ["operation", "sin"], ["Apply", 3, 2]), "another kind of primitive"),
    "a sine with a parameter": (document(*X, ["operation", "sin", 2], ["Map", 3, 2]), "another kind of primitive"),
    "a wrong reshape": (document(*V, ["operation", "reshape_to", ["tuple", 4]], ["Apply", 3, 2]), "number of entries"),
    "shapes that do not fit": (document(*V, ["shape", 4], ["Ones", 3, "float64"], ["Plus", 2, 4]), "cannot broadcast"),
    "a sum of one": (document(*X, ["Plus", 2]), "at least 2 are needed"),
    "labels for other ranks": (document(*V, ["subscripts", [[0, 1]], [0]], ["Contract", 3, 2]), "do not fit the axes"),
    "labels for no operand": (document(["subscripts", [], []], ["Contract", 0]), "do not fit the axes"),
    "an output label of none": (document(*V, ["subscripts", [[0]], [1]], ["Contract", 3, 2]), "in no operand"),
    "a negative label": (document(["subscripts", [[-1]], []]), "integers from 0"),
    "labels in text": (document(["subscripts", "i", []]), "integers from 0"),
    "sizes under one label": (
        document(*V, ["shape", 4], ["Ones", 3, "float64"], ["subscripts", [[0], [0]], [0]], ["Contract", 5, 2, 4]),
        "size 3 meets 4",
    ),
    "a finite float": (document(["Exact", "float", "1.5"]), "row 0"),
    "a fraction by zero": (document(["Exact", 1, 0]), "ZeroDivisionError"),
    "an unknown constant": (document(["number", "ComplexInfinity"]), "'ComplexInfinity' is no constant"),
    "a constant function": (document(["number", "Rational", 2, 1], ["number", "Lambda", 0]), "'Lambda' is no constant"),
    "an imaginary constant": (
        document(["number", "Rational", -1, 1], ["number", "Rational", 1, 2], ["number", "Pow", 0, 1],
                 ["Exact", "number", 2]),
        "only real constants",
    ),
    "a Float out of range": (document(["number", "Float", 0, 1, 10**9, 53]), "a Float is out of range"),
    "bytes that are too few": (document(["Constant", "float64", [3], "AAAA"]), "3 bytes do not make an array"),
    "a huge array": (document(["Constant", "float64", [2**62, 4], ""]), "0 bytes do not make an array"),
    "bytes not in base 64": (document(["Constant", "float64", [], "é"]), "not in base 64"),
    "an array of objects": (document(["Constant", "object", [], "AAAAAAAAAAA="]), "is no dtype"),
    "a bool of 2": (document(["Constant", "bool", [1], "Ag=="]), "neither 0 nor 1"),
    "a shape in text": (document(["Constant", "bool", "1", "AQ=="]), "needs a list of integers"),
    "a structure without root": (document(*X, structure=1), "its structure holds 1"),
    "an unknown structure": (document(*X, structure=["set", 0]), "its structure holds"),
    "a deep structure": (document(*X, structure=json.loads('["list",' * 80 + "0" + "]" * 80)), "its structure holds"),
    "a key that is no string": (document(*X, structure=["dict", [1, 0]]), "its structure holds"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_document_is_refused_with_the_reason(case: str) -> None:
    text, reason = BAD[case]
    with pytest.raises(errors.InputError, match=reason):
        loads(text)  # type: ignore[arg-type]


def test_no_document_starts_a_long_computation() -> None:
    ten, most = ["number", "Rational", 10, 1], ["number", "Rational", 10**15, 1]
    node = loads(document(ten, most, ["number", "Pow", 0, 1], ["Exact", "number", 2]))
    assert node.value == sympy.Pow(10, 10**15, evaluate=False)


@pytest.mark.parametrize("value", [3, None, {1: sb.tensor("x")}, {"a": "x"}, [[1.0]], {sb.tensor("x")}])
def test_only_nodes_in_lists_tuples_and_dicts_are_written(value: Any) -> None:
    with pytest.raises(errors.UsageError, match="give nodes, or lists, tuples and dicts with string keys"):
        dumps(value)


def test_a_constant_without_written_form_is_refused() -> None:
    with pytest.raises(errors.UsageError, match="constants are made of rationals, pi"):
        dumps(exact(sympy.airyai(1)))


@pytest.mark.usefixtures("own_registry")
def test_parameters_of_a_primitive_of_ones_own_are_written() -> None:
    shift = sb.primitive(
        "shift", signature=lambda x, *parameters: (x.shape, x.dtype), numpy=lambda spell, operands, parameters: "0",
        latex="{0}", examples=(lambda make: shift(make("x", ())),), doc="x itself.", value=lambda x, *parameters: x,
    )  # fmt: skip
    size = as_size("n")
    node = shift(sb.tensor("x"), 0.1, "valid", Fraction(1, 3), None, True, (2**70, (size - 1, 0)))
    assert loads(dumps(node)) is node
    with pytest.raises(errors.UsageError, match="a parameter is None, a bool"):
        dumps(shift(sb.tensor("x"), "not a word"))


def test_rows_that_are_no_rows_are_refused() -> None:
    for rows in (None, {}, [], [[]], [1], "rows"):
        with pytest.raises(errors.InputError, match="no list of lists"):
            from_rows(rows)


# -- documents that were damaged ------------------------------------------------------------------------------

POOL = [
    *(None, True, 0, 1, -1, 2, 7, 10**6, 2**64, "", "n", "x", "sin", "float64", "0x10", [], [0], [1, "n", 2], {}),
    *("roots", "Map", "Apply", "Plus", "Contract", ["tuple", 0], ["tuple", "n"], ["size", [1, "n", 1]]),
]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every (container, key) in a JSON value."""
    found: list[tuple[Any, Any]] = []
    stack = [value]
    while stack:
        container = stack.pop()
        keys = list(container) if isinstance(container, dict) else range(len(container))
        for key in keys:
            found.append((container, key))
            if isinstance(container[key], (list, dict)):
                stack.append(container[key])
    return found


def damage(text: str, chance: random.Random) -> str:
    """Change a document in one or two places, as JSON or as text."""
    if chance.random() < 0.2:
        at = chance.randrange(len(text))
        return text[:at] + chance.choice('0123456789[]{},":-naMx') + text[at + chance.randrange(2) :]
    value = json.loads(text)
    for _ in range(chance.choice([1, 1, 1, 2])):
        container, key = chance.choice(places(value["rows"]))
        change = chance.randrange(6)
        if change > 3 and type(container[key]) is int:
            container[key] += chance.choice([-2, -1, 1, 2])
        elif change == 0 and isinstance(container, list):
            del container[key]
        elif change == 1 and isinstance(container, list):
            container.insert(key, chance.choice(POOL))
        elif change == 2:
            other, place = chance.choice(places(value))
            container[key] = copy.deepcopy(other[place])
        else:
            container[key] = chance.choice(POOL)
    return json.dumps(value)


@pytest.mark.parametrize("seed", range(8))
def test_a_damaged_document_gives_a_graph_or_an_error(seed: int) -> None:
    chance = random.Random(seed)
    text = dumps(network())
    refused = 0
    for _ in range(100):
        try:
            found = loads(damage(text, chance))
        except errors.SymbackError:
            refused += 1
            continue
        for node in toposort(flat(found)):
            assert isinstance(node, Node)
            assert all(isinstance(size, (int, sympy.Expr)) for size in node.shape)
            assert isinstance(node.dtype, np.dtype)
            assert repr(node)
    assert 50 < refused < 99


T = sb.tensor("T", (4, 3))
VECTOR = sb.tensor("v", (3,))
UNTRUE = {
    "an index beyond the end": ("slice_of", T, ((4, 0),)),
    "a bool as an index": ("slice_of", T, ((True, 0),)),
    "a step of 0": ("slice_of", T, (((0, 4, 0), None),)),
    "a bound beyond the end": ("slice_of", T, (((0, 5, 1), None),)),
    "text as a bound": ("slice_of", T, (((0, "__import__", 1), None),)),
    "an entry too short": ("slice_of", T, (((0, 4), None),)),
    "another shape": ("unslice", VECTOR, (((0, 2, 1),), (4,))),
    "an axis from the start": ("max_over", T, ((0,),)),
    "an axis twice": ("logsumexp_over", T, ((-1, -1),)),
    "an axis that is a bool": ("min_over", T, ((True,),)),
    "a joint along no axis": ("concatenate_along", T, (-3,)),
    "an alias of a dtype": ("astype", T, ("double",)),
    "text as a size": ("reshape_to", T, (("12",),)),
    "a negative size": ("reshape_to", T, ((-4, -3),)),
}


@pytest.mark.parametrize("case", UNTRUE)
def test_signatures_do_not_trust_parameters(case: str) -> None:
    name, operand, parameters = UNTRUE[case]
    with pytest.raises(errors.SymbackError):
        Apply(Operation(name, *parameters), operand)


@pytest.mark.parametrize("size", ["n", 2.0, True])
def test_arithmetic_of_sizes_takes_sizes_only(size: Any) -> None:
    with pytest.raises(errors.ShapeError, match="is no size"):
        simplify_size(size)
    with pytest.raises(errors.ShapeError, match="is no size"):
        product([2, size])
