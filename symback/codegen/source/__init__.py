"""The text of emitted modules, and what is copied into them."""
