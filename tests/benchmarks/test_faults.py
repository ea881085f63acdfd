"""Faults in small: each is tried, and nothing is lost."""

import pytest

from benchmarks.speed import faults


@pytest.mark.slow
def test_nothing_is_lost():
    rows = faults.run(places=2, every=10_000, kills=1, killed_workers=1)["rows"]
    assert len({row[0] for row in rows}) == 11
    assert [row for row in rows if row[2]] == []


def test_the_table_counts_what_was_lost():
    rows = [("a fault", "here", ""), ("a fault", "there", "everything")]
    text = faults.table({"rows": rows})
    assert "| a fault |     2 |              1 |" in text
    assert text.endswith("1 of 2 lost something\n- a fault, there: everything")


@pytest.mark.parametrize(
    ("code", "said", "wrong"),
    [
        (2, "note\nError: 'r.nc': expected room\n", ""),
        (1, "Error: no", "exit code 1"),
        (2, "Traceback\nError: no", "said"),
        (2, "", "said"),
    ],
)
def test_how_a_command_has_to_refuse(code, said, wrong):
    assert faults.refusal(code, said).startswith(wrong)
    assert bool(faults.refusal(code, said)) == bool(wrong)
