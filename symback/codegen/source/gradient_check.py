"""The check of gradients in a complete module, and its run: the text, and which scalar each gradient belongs to."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from symback.codegen.source import differences
from symback.codegen.source.layout import laid_out
from symback.codegen.source.module import source_of
from symback.codegen.source.naming import Names

_LOCALS = ("arguments", "results", "gradients", "checks", "loss", "errors", "error", "name", "gradient", "of",
            "changed", "symmetric", "reason")  # fmt: skip
"""Names that the emitted functions use beside that of the function which is checked."""


class Scalar(NamedTuple):
    """A scalar among the results: its name, and its index into them as text."""

    name: str
    place: str


class Claim(NamedTuple):
    """A result that is called a gradient.

    Attributes:
        argument: The argument that it is the gradient with respect to.
        place: Its index into the results, as text.
        symmetric: Is the argument moved as a symmetric matrix, so that the gradient's symmetric part is compared?
    """

    argument: str
    place: str
    symmetric: bool = False


class Pairs(NamedTuple):
    """Which scalar each gradient is held against; those that are the gradient of none are `unproven`."""

    checked: tuple[tuple[Scalar, Claim], ...]
    unproven: tuple[Claim, ...]

    @property
    def scalars(self) -> tuple[Scalar, ...]:
        """The scalars that gradients belong to."""
        return tuple(dict.fromkeys(scalar for scalar, _ in self.checked))


def paired(
    claims: Sequence[Claim], scalars: Sequence[Scalar], square: Sequence[str], passes: Callable[[Pairs], bool]
) -> Pairs:
    """Find the scalar that each gradient is the gradient of, by checking.

    Args:
        claims: What is called a gradient.
        scalars: What it may be the gradient of.
        square: The arguments that are square matrices: where nothing else fits, they are moved as symmetric ones.
        passes: Does a module with this check pass it?

    Returns:
        The pairs that pass.
    """
    for scalar in scalars if claims else ():
        whole = Pairs(tuple((scalar, claim) for claim in claims), ())
        if len({claim.argument for claim in claims}) == len(claims) and passes(whole):
            return whole
    checked: list[tuple[Scalar, Claim]] = []
    unproven: list[Claim] = []
    for claim in claims:
        tries = (Pairs((pair,), ()) for pair in _choices(claim, scalars, claim.argument in square))
        found = next((pairs for pairs in tries if passes(pairs)), None)
        checked += found.checked if found else ()
        unproven += [] if found else [claim]
    return Pairs(tuple(checked), tuple(unproven))


def _choices(claim: Claim, scalars: Sequence[Scalar], square: bool) -> Iterator[tuple[Scalar, Claim]]:
    for symmetric in (False, True) if square else (False,):
        yield from ((scalar, claim._replace(symmetric=symmetric)) for scalar in scalars)


def check_text(function: str, pairs: Pairs, called: str = "") -> list[str]:
    """Return the functions that check the gradients of `function`; `called` is one that leaves its arguments alone."""
    body = (
        _check_one(function, pairs, called or function)
        if len(pairs.scalars) == 1 and _are_plain(pairs)
        else _check_many(function, pairs, called or function)
    )
    return [*(source_of(helper) for helper in differences.FUNCTIONS), body]


def _are_plain(pairs: Pairs) -> bool:
    arguments = [claim.argument for _, claim in pairs.checked]
    return len(set(arguments)) == len(arguments) and not any(claim.symmetric for _, claim in pairs.checked)


def statements(*lines: str) -> str:
    """Break the long ones of some lines, and join them."""
    return "\n".join(row for line in lines for row in laid_out(line))


def _locals_of(function: str) -> dict[str, str]:
    names = Names({function})
    return {word: names.claim(word) for word in _LOCALS}


def _head(function: str, called: str, what: str, key: str, more: Sequence[str] = ()) -> list[str]:
    own = _locals_of(function)
    return [
        f"def check_gradient(**{own['arguments']}):",
        f'    """Compare {what}.',
        "",
        *more,
        "    Args:",
        f"        **{own['arguments']}: Those of {function}; without any, example_arguments().",
        "",
        "    Returns:",
        f"        For each {key} the largest error, relative to the largest derivative.",
        "",
        "    Raises:",
        "        AssertionError: If an error is larger than rounding explains.",
        '    """',
        f"    {own['arguments']} = {own['arguments']} or example_arguments()",
        f"    {own['results']} = {called}(**{own['arguments']})",
    ]


def _check_one(function: str, pairs: Pairs, called: str) -> str:
    own = _locals_of(function)
    (scalar,) = pairs.scalars
    rows = [f'"{claim.argument}": {own["results"]}{claim.place}' for _, claim in pairs.checked]
    return statements(
        *_head(function, called, f"the gradient with differences of {scalar.name}", "variable"),
        f"    {own['gradients']} = {{{', '.join(rows)}}}",
        "",
        f"    def {own['loss']}(**{own['changed']}):",
        f"        return {called}(**{{**{own['arguments']}, **{own['changed']}}}){scalar.place}",
        "",
        f"    {own['errors']} = {{}}",
        f"    for {own['name']}, {own['gradient']} in {own['gradients']}.items():",
        f"        {own['errors']}[{own['name']}] = _gradient_error("
        f"{own['loss']}, {own['arguments']}, {own['name']}, {own['gradient']})",
        f"    return {own['errors']}",
    )


def _check_many(function: str, pairs: Pairs, called: str) -> str:
    own = _locals_of(function)
    lines, rows, several = [], [], len(pairs.scalars) > 1
    places = {scalar: f"{own['loss']}_{k}" for k, scalar in enumerate(pairs.scalars, 1)}
    for scalar, place in places.items():
        lines += [f"    def {place}(**{own['changed']}):"]
        lines += [f"        return {called}(**{{**{own['arguments']}, **{own['changed']}}}){scalar.place}", ""]
    for scalar, claim in pairs.checked:
        key = f'("{scalar.name}", "{claim.argument}")'
        rows.append(f"{key}: ({places[scalar]}, {own['results']}{claim.place}, {claim.symmetric})")
    moved = sorted({claim.argument for _, claim in pairs.checked if claim.symmetric})
    said = [f"    Symmetric, and moved as such: {', '.join(moved)}.", ""] if moved else []
    what = "each gradient with differences of its own scalar" if several else "the gradients with differences"
    loss, name, gradient, of, symmetric = (own[word] for word in ("loss", "name", "gradient", "of", "symmetric"))
    return statements(
        *_head(function, called, what, "scalar and variable", said),
        "",
        *lines,
        f"    {own['checks']} = {{{', '.join(rows)}}}",
        f"    {own['errors']} = {{}}",
        f"    for ({of}, {name}), ({loss}, {gradient}, {symmetric}) in {own['checks']}.items():",
        f"        {own['errors']}[{of}, {name}] = _gradient_error("
        f"{loss}, {own['arguments']}, {name}, {gradient}, {symmetric})",
        f"    return {own['errors']}",
    )


def main_text(function: str, pairs: Pairs, called: str = "") -> str:
    """Write what the module does when it is run: it prints the results, or scalars and the errors of gradients."""
    start = 'if __name__ == "__main__":'
    notes = [f"# No scalar result was found to have the gradient by {c.argument} that {function} returns."
             for c in pairs.unproven]  # fmt: skip
    if not pairs.checked:
        return statements(*notes, start, f"    print({function}(**example_arguments()))")
    own = _locals_of(function)
    arguments, results, error, name, of = (own[word] for word in ("arguments", "results", "error", "name", "of"))
    many = len(pairs.scalars) > 1 or not _are_plain(pairs)
    key, by = (f"({of}, {name})", f"gradient of {{{of}}} by") if many else (name, "gradient by")
    return statements(
        *notes,
        start,
        f"    {arguments} = example_arguments()",
        f"    {results} = {called or function}(**{arguments})",
        *(f'    print("{scalar.name} =", {results}{scalar.place})' for scalar in pairs.scalars),
        f"    for {key}, {error} in check_gradient(**{arguments}).items():",
        f'        print(f"{by} {{{name}}}: relative error {{{error}:.1e}}")',
    )


def helpless_text(function: str) -> str:
    """Write the run of a module for which no arguments were found: it says what is to be done."""
    reason = _locals_of(function)["reason"]
    return statements(
        'if __name__ == "__main__":',
        "    try:",
        f"        print({function}(**example_arguments()))",
        f"    except (ArithmeticError, LookupError, ValueError) as {reason}:",
        f'        print(f"Put arguments that fit into example_arguments: {{{reason}}}")',
    )
