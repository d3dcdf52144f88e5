"""The commands of LaTeX that symback prints and that looks may hold: what each stands for, and how it is spaced."""

import unicodedata
from functools import lru_cache


def _words(text: str) -> list[str]:
    return text.split()


def _pairs(text: str) -> dict[str, str]:
    """Read commands, each with the sign that it stands for."""
    found = text.split()
    return dict(zip(found[::2], found[1::2], strict=True))


RELATIONS = _pairs("""
    leq ≤  geq ≥  neq ≠  leftarrow ←  rightarrow →  approx ≈  equiv ≡  sim ∼  in ∈  mid ∣  parallel ∥  perp ⊥
    asymp ≍  propto ∝  ll ≪  gg ≫  le ≤  ge ≥  ne ≠  to →  Rightarrow ⇒  Leftrightarrow ⇔
""")
OPERATORS = _pairs("""
    odot ⊙  oplus ⊕  otimes ⊗  oslash ⊘  times ×  cdot ·  pm ±  mp ∓  ast ∗  star ⋆  circ ∘  bullet ∙  dagger †
    ddagger ‡  wedge ∧  vee ∨  land ∧  lor ∨  bmod mod  setminus ∖
""")
PREFIXES = _pairs("""
    partial ∂  nabla ∇  neg ¬  forall ∀  exists ∃
""")
LARGE = _pairs("""
    sum ∑  prod ∏
""")
LETTERS = _pairs("""
    alpha α  beta β  gamma γ  delta δ  epsilon ϵ  varepsilon ε  zeta ζ  eta η  theta θ  vartheta ϑ  iota ι  kappa κ
    lambda λ  mu μ  nu ν  xi ξ  pi π  varpi ϖ  rho ρ  varrho ϱ  sigma σ  varsigma ς  tau τ  upsilon υ  phi ϕ
    varphi φ  chi χ  psi ψ  omega ω  ell ℓ  hbar ℏ  imath ı  jmath ȷ
""")
UPRIGHT = _pairs("""
    Gamma Γ  Delta Δ  Theta Θ  Lambda Λ  Xi Ξ  Pi Π  Sigma Σ  Upsilon Υ  Phi Φ  Psi Ψ  Omega Ω  infty ∞  aleph ℵ
    Re ℜ  Im ℑ  wp ℘  prime ′  top ⊤  bot ⊥  dots …  ldots …  cdots ⋯  vdots ⋮  vert |  Vert ‖  backslash ∖
    emptyset ∅  hslash ℏ
""")
OPENING = _pairs("""
    lVert ‖  lvert |  langle ⟨  lfloor ⌊  lceil ⌈  lbrace {  lbrack [
""")
CLOSING = _pairs("""
    rVert ‖  rvert |  rangle ⟩  rfloor ⌋  rceil ⌉  rbrace }  rbrack ]
""")
FUNCTIONS = frozenset(
    _words("""
    Pr arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd inf ker lg lim ln log max min
    sec sin sinh sup tan tanh
""")
)
LIMITS = frozenset(
    _words("""
    Pr det gcd inf lim max min sup
""")
)
SPACES = {
    ",": 17,
    "thinspace": 17,
    ":": 22,
    ">": 22,
    ";": 28,
    " ": 33,
    "enspace": 50,
    "quad": 100,
    "qquad": 200,
    "!": -17,
}
"""Spaces by their width in hundredths of an em."""
SWITCHES = frozenset(_words("limits nolimits displaystyle textstyle mathstrut"))
"""Commands that change how TeX sets what follows, and print nothing."""
ACCENTS = {
    "hat": "\u0302",
    "widehat": "\u0302",
    "bar": "\u0304",
    "overline": "\u0305",
    "tilde": "\u0303",
    "widetilde": "\u0303",
    "vec": "\u20d7",
    "dot": "\u0307",
    "ddot": "\u0308",
    "check": "\u030c",
    "breve": "\u0306",
    "acute": "\u0301",
    "grave": "\u0300",
    "underline": "\u0332",
}
"""Accents by the combining character that follows the letter."""
ALPHABETS = {
    "mathbf": "BOLD",
    "mathrm": "",
    "mathit": "ITALIC",
    "mathsf": "SANS-SERIF",
    "mathtt": "MONOSPACE",
    "mathcal": "SCRIPT",
    "mathscr": "SCRIPT",
    "mathbb": "DOUBLE-STRUCK",
    "mathfrak": "FRAKTUR",
    "boldsymbol": "BOLD ITALIC",
    "operatorname": "",
    "mathop": "",
    "mathnormal": "ITALIC",
}
"""Alphabets by the word of their characters' names in Unicode; upright letters are plain ones."""
TEXTS = frozenset(_words("text textbf textit textrm textsf texttt mbox"))
SIZES = frozenset(f"{size}{side}" for size in ("big", "Big", "bigg", "Bigg") for side in ("l", "r", "m", ""))
_OLDER = {"SCRIPT": ("SCRIPT",), "FRAKTUR": ("BLACK-LETTER",), "DOUBLE-STRUCK": ("DOUBLE-STRUCK",)}


@lru_cache(maxsize=4096)
def in_alphabet(character: str, alphabet: str) -> str:
    """Return a letter or digit in an alphabet of `ALPHABETS`, as far as Unicode has it there.

    Example:
        >>> in_alphabet("1", "mathbf"), in_alphabet("L", "mathcal"), in_alphabet("R", "mathbb")
        ('𝟏', 'ℒ', 'ℝ')
    """
    style = ALPHABETS.get(alphabet, "")
    if not style or style == "ITALIC" or len(character) != 1:
        return character
    words = unicodedata.name(character, "").split()
    for word in ("LATIN", "GREEK", "LETTER"):
        if word in words:
            words.remove(word)
    kept = " ".join(words)
    names = [f"MATHEMATICAL {style} {kept}", *(f"{older} {kept}" for older in _OLDER.get(style, ()))]
    if words[:1] == ["DIGIT"]:
        names = [f"MATHEMATICAL {'BOLD' if 'BOLD' in style else style} {kept}"]
    for name in names:
        try:
            return unicodedata.lookup(name)
        except KeyError:
            continue
    return character
