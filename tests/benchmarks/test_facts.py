"""The bundled facts are what the script makes of the published tables."""

import io
from pathlib import Path

import pandas as pd
import pytest

from benchmarks.facts.__main__ import FOLDER, PACKAGE, conflicts_table, models_table
from benchmarks.facts.models import registry, resolve
from benchmarks.facts.page import page
from benchmarks.facts.tasks import tasks

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def made(shared_data):
    models, conflicts = resolve(registry(shared_data))
    return models_table(models), tasks(shared_data), conflicts_table(conflicts)


def test_the_tables_can_be_made_again(made):
    files = (PACKAGE / "models.csv", PACKAGE / "tasks.csv", FOLDER / "conflicts.csv")
    for table, file in zip(made, files, strict=True):
        text = io.StringIO()
        table.to_csv(text, index=False, lineterminator="\n")
        assert (ROOT / file).read_text("utf-8") == text.getvalue(), file


def test_the_page_can_be_made_again(made, monkeypatch):
    monkeypatch.chdir(ROOT)
    sources = pd.read_csv(PACKAGE / "sources.csv", keep_default_na=False)
    assert Path("docs/facts.md").read_text("utf-8") == page(*made, sources)


def test_every_figure_that_was_not_taken_has_a_reason(made):
    *_, conflicts = made
    assert (conflicts["reason"] != "").all()
    assert len(conflicts) > 100
