"""The prior predictive of every model, made once."""

import pytest

from tests.support.models import PARAMETERS, implications


@pytest.fixture(scope="session")
def predictive():
    return {name: implications(name) for name in PARAMETERS}
