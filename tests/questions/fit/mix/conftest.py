"""One fit on a mix, for all tests of fits."""

import pytest

from tests.support.mixes import fit, table


@pytest.fixture(scope="session")
def fitted():
    return fit(table())
