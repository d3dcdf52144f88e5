"""How wide text is, and where it is broken: estimates that hold for the usual sans-serif fonts."""

SIZE = 14.0
"""The size of the text of boxes, in pixels."""

SMALL = 11.0
"""The size of shapes and captions."""

_WIDTHS = (
    ("ijl.,:;|!'ıȷ", 0.32),
    ('frtI()[]{}/ \\"`-', 0.42),
    ("mMW@%∂∇", 0.92),
    ("₀₁₂₃₄₅₆₇₈₉ₐₑᵢⱼₖₗₘₙₚᵣₛₜᵤ⁰¹²³⁴⁵⁶⁷⁸⁹ᵀ⁻", 0.46),
    ("ABCDEFGHKNOPQRUVXYZwΣΠΔΩΦΨΘ+=<>−·", 0.74),
    ("⊙⊗⊕⟨⟩→↦←…∘", 0.92),
)
_TABLE = {sign: width for signs, width in _WIDTHS for sign in signs}
_USUAL = 0.62
_WIDE = 1.0
_BREAKS = ("= ", "+ ", "− ", "- ", "⊙ ", ", ", "· ", " ")


def width(text: str, size: float = SIZE) -> float:
    """Return how many pixels wide a line is at most."""
    return size * sum(_TABLE.get(sign, _USUAL if ord(sign) < 0x2E80 else _WIDE) for sign in text)


def wrapped(text: str, most: int, lines: int) -> tuple[str, ...]:
    """Break a text into lines of at most `most` signs, in front of operators if possible; what is left over is dots.

    Example:
        >>> wrapped("L = a + b + c", 8, 2)
        ('L = a', '+ b + c')
    """
    found: list[str] = []
    rest = text
    while len(rest) > most and len(found) < lines - 1:
        cut = _break_in(rest, most)
        found.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return (*found, rest if len(rest) <= most else rest[: most - 1].rstrip() + "…")


def _break_in(text: str, most: int) -> int:
    """Return where to break: in front of the last operator that fits, unless the line would be short."""
    for sign in _BREAKS:
        place = text.rfind(sign, 0, most)
        after = sign in (", ", " ")
        if place > most // 3:
            return place + (len(sign) if after else 0)
    return most
