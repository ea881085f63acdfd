"""`python -m benchmarks facts`: the bundled facts about models and tasks, from published tables.

Reads the tables of ../shared/data and what lies in this folder (published.csv, corrections.csv,
tasks.toml); writes models.csv and tasks.csv of the package, the list of figures that were not taken
(conflicts.csv), and the tables of docs/facts.md. Takes a few seconds.
"""

import math
import re
from argparse import ArgumentParser
from pathlib import Path

import pandas as pd

from benchmarks.facts.models import COLUMNS, Conflict, Model, registry, resolve
from benchmarks.facts.page import page
from benchmarks.facts.tasks import tasks

FOLDER = Path("benchmarks/facts")
PACKAGE = Path("src/upturn/tables/facts")


def models_table(models: list[Model]) -> pd.DataFrame:
    """A row a model, with the source of each figure."""
    return pd.DataFrame(
        [
            {"model": model.name}
            | {
                name: value
                for column in COLUMNS
                for name, value in (
                    (column, _text(model.values.get(column, ""))),
                    (f"{column}_source", model.sources.get(column, "")),
                )
            }
            for model in models
        ]
    )


def conflicts_table(conflicts: list[Conflict]) -> pd.DataFrame:
    """The figures that were not taken."""
    table = pd.DataFrame([vars(conflict) for conflict in conflicts])
    for column in ("taken", "left_out"):
        table[column] = table[column].map(_text)
    return table.sort_values(["model", "column", "left_out_source"], ignore_index=True)


def _text(value: object) -> str:
    """A figure in as few characters as it needs."""
    if isinstance(value, (int, float)):
        return "" if math.isnan(value) else re.sub(r"e\+?0*", "e", f"{value:.6g}")
    return str(value)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))


def main(*, data: Path) -> None:
    """Write them, and say what was written."""
    models, conflicts = resolve(registry(data))
    written = {
        PACKAGE / "models.csv": models_table(models),
        PACKAGE / "tasks.csv": tasks(data),
        FOLDER / "conflicts.csv": conflicts_table(conflicts),
    }
    for path, table in written.items():
        table.to_csv(path, index=False, lineterminator="\n")
        print(f"{path}: {len(table)} rows")
    sources = pd.read_csv(PACKAGE / "sources.csv", keep_default_na=False)
    Path("docs/facts.md").write_text(page(*written.values(), sources), encoding="utf-8")
    print("docs/facts.md")
