"""Field: real files, each with the command that a person would type."""

import pytest

from benchmarks.accuracy import field


@pytest.mark.slow
@pytest.mark.parametrize("case", field.CASES, ids=lambda case: f"{case.folder} {case.command}")
def test_a_case_is_as_expected(case):
    if not (field.FOLDER / case.folder).is_dir():
        pytest.skip("the folder of real files is not there")
    outcome = field.run(case, field.FOLDER)
    assert outcome.is_expected, outcome.printed


def test_an_outcome_needs_both_the_code_and_the_text():
    case = field.Case("folder", "fit t.csv", "one row", 2)
    assert field.Outcome(case, 2, "Error: one row").is_expected
    assert not field.Outcome(case, 0, "one row").is_expected
    assert not field.Outcome(case, 2, "another").is_expected
    assert field.Outcome(case, 2, "note\nError: a | b").summary == "Error: a | b"
    assert "a \\| b | **no** |" in field.table([field.Outcome(case, 2, "Error: a | b")])
