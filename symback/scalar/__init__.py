"""Straight-line programs of scalars, at the scale of robotics: a flat tape, its derivatives, and code for points."""
