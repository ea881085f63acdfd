"""Repeats: one policy for several rows of one model on one task."""

import pandas as pd
import pytest

import upturn
from upturn.checks.errors import DataError

SIZES = [1e8, 1e9, 1e10]


def table(copies=3, **columns):
    rows = [
        {"task": "t", "model": f"m{i}", "params": size, "score": 0.1 * i + 0.02 * copy, "n": 100}
        | {name: copy for name, of in columns.items() if of}
        for copy in range(copies)
        for i, size in enumerate(SIZES)
    ]
    return pd.DataFrame(rows)


def read(frame, **options):
    return upturn.read(frame, facts="none", **options)


def test_repeats_are_refused_and_all_counted():
    with pytest.raises(DataError, match=r"\(6 repeated rows of 3 models\); choose by --repeats"):
        read(table())


@pytest.mark.parametrize("column", ["seed", "repeat", "run"])
def test_seeds_and_repeats_add_up(column):
    """A column ``run`` whose every run has models of several sizes numbers repeats too."""
    frame = read(table(**{column: True})).frame
    assert frame["trials"].tolist() == [300] * 3
    assert frame["successes"].tolist() == [6, 36, 66]
    assert column not in frame


def test_pooled_repeats_are_one_larger_evaluation():
    pooled = read(table(), repeats="pool").frame
    whole = table(1).assign(score=[0.02, 0.12, 0.22], n=300)
    columns = ["model", "score", "trials", "successes"]
    pd.testing.assert_frame_equal(
        pooled[columns].reset_index(drop=True), read(whole).frame[columns].reset_index(drop=True)
    )


def test_mean_and_latest():
    mean = read(table(), repeats="mean").frame
    assert mean["score"].round(9).tolist() == [0.02, 0.12, 0.22]
    assert mean["trials"].tolist() == [100] * 3
    latest = read(table(), repeats="latest")
    assert latest.frame["score"].round(9).tolist() == [0.04, 0.14, 0.24]
    assert "6 repeated rows of 3 measurements left out for a later one" in latest.notes


def test_training_runs_stay_runs():
    rows = [
        {"task": "t", "model": f"step{s}", "run": run, "params": size, "score": 0.5}
        for run, size in (("small", 1e8), ("large", 1e9))
        for s in (1, 2)
    ]
    assert len(read(pd.DataFrame(rows))) == 4


def test_filters_come_before_the_check():
    frame = table().assign(data=["a"] * 3 + ["b"] * 3 + ["c"] * 3)
    assert len(read(frame, where="data=b")) == 3
    frame = frame.assign(metric=["acc"] * 3 + ["f1"] * 6)
    assert len(read(frame, metric="acc")) == 3
    frame.loc[5, "score"] = 37.0  # of a row that is not taken
    assert len(read(frame, metric="acc")) == 3


def test_one_seed_twice_is_still_refused():
    frame = pd.concat([table(seed=True), table(1, seed=True)])
    with pytest.raises(DataError, match="expected each measurement once"):
        read(frame)
