"""Verification: the value of each formula as it is printed, beside differences in many digits."""
