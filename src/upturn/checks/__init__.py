"""Checks: what a caller may pass, and the errors that say what is wrong with it."""
