"""The primitives and the functions made of them, in NumPy's names: a folder for each kind.

A module lists what is public in `__all__`; `symback/__init__.py` takes all of it, `special` and `linalg` excepted,
which are namespaces.
"""
