"""Functions NumPy lacks, written with NumPy alone.

Their source goes into the emitted modules that use them.

They may call each other; anything else they use must be NumPy.
"""
