"""Derivations: the record of a pass as steps, written in matrix or index notation, each line checked by numbers."""
