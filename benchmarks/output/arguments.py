"""Types of options that several benchmarks have."""

import argparse


def count(text: str) -> int:
    """Read a number of seeds, of which there must be one."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 up, but got {text!r}")
    return int(text)
