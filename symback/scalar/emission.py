"""The text of a straight-line program: one function of scalars, the same for `math` and for NumPy.

What is used once stands where it is used, what is used again has a name. The functions that the text calls are
arguments of what makes it, so that the same text computes with floats and with arrays.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import Any, NamedTuple, cast

from symback import errors
from symback.op.table import PRIMITIVES
from symback.ops.undefined import Partial
from symback.scalar.single import INSTEAD
from symback.scalar.tape import ADD, DIVIDE, INPUT, MULTIPLY, NEGATIVE, NUMBER, SUBTRACT, Tape

_LONGEST = 40
"""A longer expression has a name of its own."""

_MATH = {
    "np.arccos": "acos", "np.arcsin": "asin", "np.arctan": "atan", "np.arccosh": "acosh", "np.arcsinh": "asinh",
    "np.arctanh": "atanh", "np.arctan2": "atan2", "np.sin": "sin", "np.cos": "cos", "np.tan": "tan", "np.sinh": "sinh",
    "np.cosh": "cosh", "np.tanh": "tanh", "np.exp": "exp", "np.exp2": "exp2", "np.expm1": "expm1", "np.log": "log",
    "np.log1p": "log1p", "np.log2": "log2", "np.log10": "log10", "np.sqrt": "sqrt", "np.cbrt": "cbrt",
    "np.hypot": "hypot", "np.fabs": "fabs", "np.copysign": "copysign", "np.fmod": "fmod", "np.power": "pow",
    "np.deg2rad": "radians", "np.rad2deg": "degrees", "scipy.special.erf": "erf", "scipy.special.erfc": "erfc",
    "scipy.special.gamma": "gamma", "scipy.special.gammaln": "lgamma",
}  # fmt: skip
"""What `math` calls what NumPy or SciPy calls so."""

_POINTS = {"np.abs": "abs", "np.where": "choose", "np.maximum": "larger", "np.minimum": "smaller"}
"""What a single point takes instead of a function of arrays."""

_LONG = 64
"""Programs of more assignments delete what they need no more."""

_FEW_ZEROS = 16
"""More results that are 0 have no line each."""

_WORD = re.compile(r"[^\W\d]\w*")
_FUNCTION = re.compile(r"np\.\w+")

LOWEST, SUM, PRODUCT, SIGN, ATOM = range(5)
"""How tightly a piece of text binds."""


NO_FUNCTIONS: Mapping[Partial, str] = MappingProxyType({})


class Called(NamedTuple):
    """A function that the text calls.

    Attributes:
        name: The name in the text.
        numpy: Its source for arrays, ``"np.sin"``.
        point: Its source for single numbers, ``"math.sin"``.
    """

    name: str
    numpy: str
    point: str


class Piece(NamedTuple):
    """A piece of text, and how tightly it binds."""

    text: str
    level: int = ATOM

    def within(self, level: int) -> str:
        """Return the text as part of what binds at `level`."""
        return self.text if self.level >= level else f"({self.text})"


class Body(NamedTuple):
    """The text of a program.

    Attributes:
        lines: The assignments, in order; those to ``out[k]`` give the results.
        called: The functions that are called.
        helpers: Functions of symback whose source the module needs.
        most_alive: At most how many values are held at once.
        zeros: Must the results be 0 before? Those that are 0 are left out then, of a sparse Hessian nearly all.
    """

    lines: list[str]
    called: list[Called]
    helpers: dict[str, Callable[..., Any]]
    most_alive: int
    zeros: bool


class _Helpers(NamedTuple):
    """What the spelling of a function with parameters may ask for."""

    helper: Callable[[Callable[..., Any]], str]


class Emitter:
    """Writes the text of a tape.

    Args:
        tape: The program.
        outputs: The numbers of its results.
        taken: Names that the text must not give to anything else: those of the inputs, of Python, of the module.
        names: Names of operations that have one of their own.
        functions: The names, which are taken, of functions that have no declaration.
    """

    def __init__(
        self, tape: Tape, outputs: Sequence[int], taken: Iterable[str], names: dict[int, str],
        functions: Mapping[Partial, str] = NO_FUNCTIONS,
    ) -> None:  # fmt: skip
        self._tape = tape
        self._outputs = outputs
        self._taken = set(taken)
        self._names = names
        self._functions = functions
        self._called: dict[str, Called] = {}
        self._helpers: dict[str, Callable[..., Any]] = {}
        self._spelled: dict[Any, Callable[[list[Piece]], Piece]] = {}
        self._number = 0
        stems = ("v", "t", "w", "step_", "value_")
        self._stem = next(stem for stem in stems if not any(_is_numbered(stem, name) for name in self._taken))

    def body(self) -> Body:
        """Return the text."""
        tape = self._tape
        needed = tape.needed(self._outputs)
        uses = [0] * len(needed)
        for place, operands in enumerate(tape.operands[: len(needed)]):
            if needed[place] and tape.operations[place] not in (INPUT, NUMBER):
                for operand in operands:
                    uses[operand] += 1
        for place in self._outputs:
            uses[place] += 2 if tape.operations[place] not in (INPUT, NUMBER) and uses[place] else 1
        results: dict[int, list[int]] = {}
        for index, place in enumerate(self._outputs):
            results.setdefault(place, []).append(index)
        zeros = _left_out(tape, results)
        for place in zeros:
            results[place] = []
        pieces: list[Piece | None] = [None] * len(needed)
        lines: list[str] = []
        for place in range(len(needed)):
            if needed[place]:
                piece = self._piece(place, pieces)
                long = len(piece.text) > _LONGEST and place not in results
                if place in self._names or ((piece.level < ATOM or "(" in piece.text) and (uses[place] > 1 or long)):
                    name = self._name(place)
                    lines.append(f"{name} = {piece.text}")
                    piece = Piece(name)
                pieces[place] = piece
                lines += [f"out[{index}] = {self._result(place, piece)}" for index in results.get(place, ())]
        lines, most_alive = _released(lines)
        return Body(lines, list(self._called.values()), self._helpers, most_alive, bool(zeros))

    def _result(self, place: int, piece: Piece) -> str:
        """Write a result; a number as a float."""
        if self._tape.operations[place] == NUMBER:
            return _float_text(_nearest(self._tape.operands[place][0]))
        return piece.text

    def _name(self, place: int) -> str:
        wanted = self._names.get(place)
        if wanted is not None:
            return wanted
        self._number += 1
        return f"{self._stem}{self._number}"

    def _piece(self, place: int, pieces: list[Piece | None]) -> Piece:
        tape = self._tape
        name, operands = tape.operations[place], tape.operands[place]
        if name == INPUT:
            return Piece(self._names.get(place, operands[0]))
        if name == NUMBER:
            return number_text(operands[0])
        given = [pieces[operand] for operand in operands]
        if name in (ADD, SUBTRACT):
            return _sum(given[0], name, given[1])
        if name == MULTIPLY:
            return Piece(f"{given[0].within(PRODUCT)} * {given[1].within(SIGN)}", PRODUCT)
        if name == DIVIDE:
            return Piece(f"{given[0].within(PRODUCT)} / {given[1].within(SIGN)}", PRODUCT)
        if name == NEGATIVE:
            return Piece(f"-{given[0].within(SIGN)}", SIGN)
        if name not in self._spelled:
            self._spelled[name] = self._speller(name)
        return self._spelled[name](given)

    # -- functions ------------------------------------------------------------------------------------

    def _speller(self, name: Any) -> Callable[[list[Piece]], Piece]:
        if isinstance(name, Partial):
            given_one = self._functions[name]
            self._called[given_one] = Called(given_one, given_one, given_one)
            return lambda given: _call(given_one, given)
        if type(name) is tuple:
            return self._spelled_with_parameters(*name)
        spelling = PRIMITIVES[name].numpy
        if name == "power":
            spelling = "np.power"  # of a negative number, ** would be complex at a point
        if not isinstance(spelling, str):
            own = self._instead(spelling) if spelling in INSTEAD else self._helper(spelling)
            return lambda given: _call(own, given)
        if "{" not in spelling:
            own = self._alias(spelling)
            return lambda given: _call(own, given)
        template = _FUNCTION.sub(lambda found: self._alias(found[0]), spelling)
        return lambda given: Piece(template.format(*[piece.within(ATOM) for piece in given]), LOWEST)

    def _spelled_with_parameters(self, name: str, *parameters: Any) -> Callable[[list[Piece]], Piece]:
        """Spell a function whose spelling is a function too: of who has helpers written, of texts and parameters."""
        spelling = cast(Callable[..., str], PRIMITIVES[name].numpy)
        spell = _Helpers(self._helper)
        return lambda given: Piece(spelling(spell, [piece.text for piece in given], parameters))

    def _instead(self, function: Callable[..., Any]) -> str:
        """Have single points computed by another function than arrays."""
        name, point = self._helper(function), INSTEAD[function]
        source = point if isinstance(point, str) else self._helper(point)
        self._called[name] = Called(name, name, source)
        return name

    def _alias(self, spelling: str) -> str:
        if spelling not in self._called:
            plain = spelling.rpartition(".")[2]
            name = _MATH.get(spelling) or _POINTS.get(spelling) or plain
            while name in self._taken:
                name += "_"
            self._taken.add(name)
            array = spelling.replace("scipy.special.", "special.")
            point = f"math.{_MATH[spelling]}" if spelling in _MATH else _POINTS.get(spelling, array)
            self._called[spelling] = Called(name, array, point)
        return self._called[spelling].name

    def _helper(self, function: Callable[..., Any]) -> str:
        name = function.__name__
        self._helpers[name] = function
        return name


def _left_out(tape: Tape, results: Mapping[int, Sequence[int]]) -> list[int]:
    """Return which results need no lines: zeros, if they are many and not all there is."""
    return [
        place
        for place, indices in results.items()
        if len(indices) > _FEW_ZEROS and len(results) > 1 and tape.exact(place) == 0
    ]


def _released(lines: list[str]) -> tuple[list[str], int]:
    """Delete names of long programs after their last use: arrays that are freed are memory that is in the cache."""
    own = {line.partition(" = ")[0] for line in lines if not line.startswith("out[")}
    alive: set[str] = set()
    found: list[str] = []
    most = 0
    for line in reversed(lines):
        used = set(_WORD.findall(line.partition(" = ")[2])) & own
        last = sorted(used - alive, key=lambda name: (len(name), name))
        if last:
            found.append(f"del {', '.join(last)}")
        alive |= used
        alive.discard(line.partition(" = ")[0])
        most = max(most, len(alive))
        found.append(line)
    return (lines if len(own) < _LONG else found[::-1]), most


def number_text(value: Any) -> Piece:
    """Write a number: exactly, or as the nearest float."""
    if isinstance(value, bool):
        return Piece(repr(value))
    if isinstance(value, Fraction):
        short = abs(value.numerator) < 10**6 and value.denominator < 10**6
        if short and value.denominator & (value.denominator - 1):
            sign = "-" if value < 0 else ""
            return Piece(f"{sign}{abs(value.numerator)} / {value.denominator}", PRODUCT if not sign else SIGN - 1)
        value = _nearest(value)
    if isinstance(value, int):
        text = repr(value) if abs(value) < 2**53 else _float_text(_nearest(value))
    else:
        text = _float_text(_nearest(value))
    return Piece(text, SIGN if text.startswith("-") else ATOM)


def _nearest(value: Any) -> float:
    """Return the nearest float; a number beyond all floats is refused."""
    try:
        return float(value)
    except OverflowError:
        raise errors.integer_overflow(int(value)) from None


def _float_text(value: float) -> str:
    if value != value:
        return 'float("nan")'
    if value in (float("inf"), float("-inf")):
        return f'float("{value}")'
    return repr(value).replace("e+", "e")


def _sum(a: Piece, sign: str, b: Piece) -> Piece:
    """Write a sum or a difference; the sign of a number in front of `b` becomes that of the sum."""
    text = b.within(PRODUCT)
    if text.startswith("-"):
        sign, text = SUBTRACT if sign == ADD else ADD, text[1:]
    return Piece(f"{a.within(SUM)} {sign} {text}", SUM)


def _call(name: str, given: list[Piece]) -> Piece:
    return Piece(f"{name}({', '.join(piece.text for piece in given)})")


def _is_numbered(stem: str, name: str) -> bool:
    return name.startswith(stem) and name[len(stem) :].isdigit()
