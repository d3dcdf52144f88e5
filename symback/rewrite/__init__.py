"""Rewriting: named rules in the user's notation, and the engine that applies them."""
