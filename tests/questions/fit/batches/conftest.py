"""A store of a finished run."""

import pytest

import upturn
from tests.support.stores import HOW, frame


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The store of a run that nobody interrupted, made as one to resume where there is nothing."""
    path = tmp_path_factory.mktemp("whole") / "run.zarr"
    told = []
    upturn.fit(frame(), output=path, resume=True, progress=lambda *now: told.append(now), **HOW)
    assert told == sorted(told)
    assert told[-1] == (10, 10)
    return path
