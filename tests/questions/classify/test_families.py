"""Families that a table does not name, from scores that go together across its tasks."""

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from upturn import read
from upturn.checks.errors import DataError
from upturn.cli import main
from upturn.questions.classify.classify import classify
from upturn.questions.classify.result import Classification

MODELS = ("logistic",)
FAMILY = np.array([0, 1, 0, 1, 0, 1, 0, 1, 0, 1])
TASKS = 14


def table(tasks: int) -> pd.DataFrame:
    """Tasks that share ten models of two families, which are a tenth of the axis apart."""
    rng, u, frames = np.random.default_rng(5), np.linspace(0, 1, len(FAMILY)), []
    for number in range(tasks):
        ahead = np.where(FAMILY == 1, 0.05, -0.05)
        middle, width = rng.uniform(0.3, 0.7), rng.uniform(0.08, 0.15)
        p = 0.05 + 0.8 / (1 + np.exp(-(u + ahead - middle) / width))
        frames.append(pd.DataFrame({
            "task": f"t{number}", "model": [f"m{i}" for i in range(len(u))], "trials": 500,
            "score": rng.binomial(500, p) / 500, "chance": 0.05, "flops": 10 ** (20 + 4 * u),
        }))  # fmt: skip
    return pd.concat(frames)


@pytest.fixture(scope="module")
def found() -> Classification:
    return classify(table(TASKS), models=MODELS, draws=100, learn_prevalence=False)


def test_models_of_a_family_are_in_one_group(found: Classification) -> None:
    families = found.families()
    assert families.tasks == TASKS
    assert families.p < 0.05
    of = {model: group for group in families.groups for model in group}
    assert len(of) == len(FAMILY)
    for group in families.groups:
        assert len({int(FAMILY[int(model[1:])]) for model in group}) == 1


def test_a_note_says_which_and_what_to_do(found: Classification) -> None:
    note = found.notes[-1]
    assert "--families FILE.csv" in note
    assert "m1, m3" in note
    assert "p = 0.0" in note


@pytest.mark.slow
def test_intervals_allow_for_them_once_they_are_passed_back(found: Classification) -> None:
    known = read(table(TASKS), facts=found.families().table())
    again = classify(known, models=MODELS, draws=100)
    assert (again.curves.groups >= 2).all()
    assert not any("no families named" in note for note in again.notes)
    low, _, high = found.scale_x()
    lower, _, higher = again.scale_x()
    assert np.median(higher - lower) > np.median(high - low)


def test_from_few_tasks_nothing_is_concluded(found: Classification) -> None:
    few = found.take(slice(0, 6))
    assert few.families().groups == ()
    with pytest.raises(DataError, match=r"at least 10 tasks .* got 6 tasks"):
        few.families().table()
    assert "--families" not in " ".join(few.notes)


def test_the_command_writes_what_facts_reads(tmp_path) -> None:
    source, target = tmp_path / "results.csv", tmp_path / "families.csv"
    table(TASKS).to_csv(source, index=False)
    arguments = ["classify", str(source), "--shapes", "logistic", "--draws", "100"]
    done = CliRunner().invoke(main, [*arguments, "--families", str(target)])
    assert done.exit_code == 0, done.output
    written = pd.read_csv(target)
    assert list(written.columns) == ["model", "family"]
    assert sorted(written["model"]) == [f"m{i}" for i in range(len(FAMILY))]
    refused = CliRunner().invoke(main, [*arguments, "--families", str(source)])
    assert refused.exit_code == 2
