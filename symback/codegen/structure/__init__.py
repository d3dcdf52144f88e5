"""Zeros but for diagonals and blocks: kept apart, written in place, or returned as factors."""
