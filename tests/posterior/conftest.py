"""A fit that the tests of trees and files share, and its file."""

import pandas as pd
import pytest

import upturn
from tests.support.tables import table
from upturn.posterior import files


@pytest.fixture(scope="module")
def fit():
    """Three curves of different length, with scatter in one of them."""
    frames = [table(12, seed=1), table(7, seed=2).drop(columns="family"), table(9, seed=3)]
    frames[2]["family"] = "only one"
    tasks = [frame.assign(task=f"t{i}") for i, frame in enumerate(frames)]
    return upturn.fit(pd.concat(tasks), draws=400, seed=5)


@pytest.fixture(scope="module")
def saved(fit, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    fit.save(folder / "fit.nc")
    return folder / "fit.nc"


@pytest.fixture(scope="module")
def loaded(saved):
    return files.load(saved)
