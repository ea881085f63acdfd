"""A few inputs of each kind; the long tests run more, `make hostile` ten thousand."""

import time

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.hostile import cases
from tests.hostile.run import HangError, patience, run
from tests.hostile.tables import Case

INPUTS = {
    "tables": 25,
    "side tables": 10,
    "folders": 25,
    "models": 40,
    "command lines": 6,
    "saved fits": 8,
}


def attack(kind, inputs, start):
    @seed(start)
    @settings(
        max_examples=inputs,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(cases.KINDS[kind])
    def check(case):
        run(case)

    check()


@pytest.mark.parametrize("kind", cases.KINDS)
def test_hostile_input(kind):
    attack(kind, INPUTS[kind], start=0)


@pytest.mark.slow
@pytest.mark.parametrize("kind", cases.KINDS)
def test_more_hostile_input(kind):
    """Other inputs than those above, and more of them."""
    attack(kind, 4 * INPUTS[kind], start=1)


def test_a_hang_is_seen():
    with pytest.raises(HangError), patience(0.05):
        time.sleep(60)


@pytest.mark.parametrize(
    ("error", "message"),
    [(RuntimeError("boom"), "boom"), (UserWarning("careful"), "careful")],
)
def test_a_traceback_is_seen(error, message, monkeypatch):
    def fail(*arguments, **options):
        raise error

    monkeypatch.setattr("upturn.fit", fail)
    with pytest.raises(AssertionError, match=message):
        run(Case({}, ("fit", "r.csv")))


def test_what_is_half_written_is_seen(monkeypatch):
    def write(*arguments, **options):
        from pathlib import Path

        from upturn.checks.errors import DataError

        Path("o.json").write_text("half")
        raise DataError("expected more")

    monkeypatch.setattr("upturn.fit", write)
    with pytest.raises(AssertionError, match="wrote something"):
        run(Case({}, ("fit", "r.csv")))


def test_the_cases_reach_every_outcome():
    good = Case({"r.csv": cases.GOOD_TABLE}, ("fit", "r.csv", "--model", "flat", *cases.CHEAP))
    assert run(good) == 0
    assert run(Case({}, ("fit", "r.csv"))) == 2
    assert run(Case({**cases.saved()["f.zarr"]}, ("summary", "f.zarr"))) == 0
