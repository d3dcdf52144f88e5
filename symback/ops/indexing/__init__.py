"""Entries picked out, overwritten, sorted."""
