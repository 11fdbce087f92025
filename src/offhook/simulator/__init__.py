"""Callers, lines and time that are not real: the test kit, which is part of the product."""
