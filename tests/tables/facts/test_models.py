import csv
import math
from datetime import date
from pathlib import Path

import pytest

import upturn.tables.facts.models as bundled
from upturn.tables.facts.models import COLUMNS, known_models, model_facts, sources

LEAST = {"params": 1e4, "tokens": 1e6, "flops": 1e12}
ROWS = list(
    csv.DictReader(Path(bundled.__file__).with_name("models.csv").read_text("utf-8").splitlines())
)


def test_there_are_at_least_600_models() -> None:
    assert len(ROWS) >= 600


def test_every_figure_has_a_source_with_a_licence() -> None:
    for row in ROWS:
        for column in COLUMNS:
            assert bool(row[column]) == bool(row[f"{column}_source"]), row
            assert not row[column] or sources()[row[f"{column}_source"]].licence, row


def test_figures_are_in_absolute_units_and_dates_in_iso_8601() -> None:
    for facts in known_models().values():
        for column, least in LEAST.items():
            value = getattr(facts, column)
            assert math.isnan(value) or value >= least, facts
        assert not facts.date or date.fromisoformat(facts.date), facts


def test_flops_are_about_six_times_params_times_tokens() -> None:
    """Of models whose parameters are all active, which the excepted ones are not."""
    mixtures = ("DeepSeek", "deepseek-moe", "GLM-4.5", "Kimi")
    for facts in known_models().values():
        ratio = facts.flops / (6 * facts.params * facts.tokens)
        if not math.isnan(ratio) and not any(name in facts.model for name in mixtures):
            assert 0.2 < ratio < 3, facts


@pytest.mark.parametrize(
    ("name", "column", "value"),
    [
        ("openlm-research/open_llama_7b_v2", "params", 7e9),
        ("openlm-research/open_llama_13b", "tokens", 1e12),
        ("cerebras/btlm-3b-8k-base", "tokens", 6.27e11),
        ("mistralai/Mixtral-8x22B-v0.1", "params", 1.41e11),
        ("google/gemma-2b", "tokens", 3e12),
    ],
)
def test_figures_that_were_wrong_in_a_table_are_corrected(
    name: str, column: str, value: float
) -> None:
    facts = model_facts(name)
    assert facts is not None
    assert getattr(facts, column) == value


def test_aliases_are_known() -> None:
    assert model_facts("GPT-3 125M") is model_facts("GPT-3 Small") is not None


@pytest.mark.parametrize(
    "name", ["m1", "small", "large", "model-7b", "s4", "core", "base", "x", ""]
)
def test_names_of_toys_are_not_known(name: str) -> None:
    assert model_facts(name) is None
