"""The primitives and the functions made of them, in NumPy's names; importing it declares them all."""

from symback.ops import arithmetic as arithmetic
from symback.ops import creation as creation
from symback.ops import exponential as exponential
from symback.ops import indexing as indexing
from symback.ops import logic as logic
from symback.ops import powers as powers
from symback.ops import products as products
from symback.ops import reduction as reduction
from symback.ops import shaping as shaping
from symback.ops import trigonometric as trigonometric
