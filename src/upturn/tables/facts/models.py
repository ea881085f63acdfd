"""Bundled facts about models, found by any spelling of their names."""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from upturn.tables.facts.names import canonical

FIGURES = ("params", "tokens", "flops")
COLUMNS = ("family", *FIGURES, "date")

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class ModelFacts:
    """What is known of a model.

    Parameters
    ----------
    model
        Its name, as the first source has it.
    family, date
        "" where they are not known; the date as in ISO 8601.
    params, tokens, flops
        All parameters, tokens trained on, and training compute; NaN where they are not known.
    sources
        Of each column that is known, the source (a row of `sources`).
    """

    model: str
    family: str = ""
    params: float = math.nan
    tokens: float = math.nan
    flops: float = math.nan
    date: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)

    def known(self) -> dict[str, float | str]:
        """The columns that are known, with their values."""
        values = {column: getattr(self, column) for column in COLUMNS}
        return {c: v for c, v in values.items() if v and not _is_nan(v)}


def _is_nan(value: float | str) -> bool:
    return isinstance(value, float) and math.isnan(value)


@dataclass(frozen=True)
class Source:
    """Where figures are from.

    Parameters
    ----------
    name
        As columns of sources give it.
    reference, licence, url
        The publication, under what its figures may be used, and its address.
    """

    name: str
    reference: str
    licence: str
    url: str


def model_facts(name: str) -> ModelFacts | None:
    """What is known of a model, None for one that is not in the table.

    Parameters
    ----------
    name
        In any spelling: see `upturn.tables.facts.names.canonical`.

    Examples
    --------
    >>> facts = model_facts("meta-llama/Llama-2-7b-hf")
    >>> facts.params, facts.tokens, facts.sources["tokens"]
    (7000000000.0, 2000000000000.0, 'Ruan et al. 2024')
    >>> model_facts("m1") is None
    True
    """
    return known_models().get(canonical(name))


@cache
def known_models() -> Mapping[str, ModelFacts]:
    """The bundled models by their canonical names, aliases included."""
    models = {canonical(row["model"]): _of_row(row) for row in _rows("models.csv")}
    aliases = {
        canonical(row["alias"]): models[canonical(row["model"])] for row in _rows("aliases.csv")
    }
    return aliases | models


@cache
def sources() -> Mapping[str, Source]:
    """The sources of all figures by name, with their licences."""
    rows = _rows("sources.csv")
    return {
        row["source"]: Source(row["source"], row["reference"], row["licence"], row["url"])
        for row in rows
    }


def _rows(file: str) -> list[dict[str, str]]:
    with (_FOLDER / file).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _of_row(row: Mapping[str, str]) -> ModelFacts:
    figures = {figure: float(row[figure] or math.nan) for figure in FIGURES}
    return ModelFacts(
        model=row["model"],
        family=row["family"],
        date=row["date"],
        sources={column: row[f"{column}_source"] for column in COLUMNS if row[column]},
        **figures,
    )
