"""Fixtures of the tests of this folder."""

import pytest

from tests.support.answers import RISE


@pytest.fixture
def rise(folder):
    """A table of one curve that turns up near 2e22 FLOPs."""
    (folder / "rise.csv").write_text(RISE)
    return "rise.csv"
