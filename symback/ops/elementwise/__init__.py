"""Scalar functions applied entry by entry, with broadcasting."""
