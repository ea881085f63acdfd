"""docs/facts.md: what is bundled, by which rules, and what was not taken; tables from the files."""

from pathlib import Path

import pandas as pd

from benchmarks.facts.models import SIX_N_D

_FIGURES = ("params", "tokens", "flops", "date", "family")

_TEMPLATE = Path(__file__).with_name("template.md")


def page(
    models: pd.DataFrame, tasks: pd.DataFrame, conflicts: pd.DataFrame, sources: pd.DataFrame
) -> str:
    """The text of the page.

    Parameters
    ----------
    models, tasks, conflicts, sources
        The tables as they are written.
    """
    names = tasks["task"].size + sum(len(str(also).split()) for also in tasks["also"])
    return _TEMPLATE.read_text("utf-8").format(
        models=len(models),
        tasks=len(tasks),
        names=names,
        six_n_d=SIX_N_D,
        corrections=len(pd.read_csv("benchmarks/facts/corrections.csv")),
        conflicts=len(conflicts),
        reasons=_markdown(_reasons(conflicts)),
        largest=_markdown(_largest(conflicts)),
        by_source=_markdown(_by_source(models)),
        with_chance=int((tasks["chance"].notna()).sum()),
        with_questions=int((tasks["questions"].notna()).sum()),
        task_groups=_markdown(_groups(tasks)),
        sources=_markdown(_used(models, tasks, sources)),
    )


def _reasons(conflicts: pd.DataFrame) -> pd.DataFrame:
    counts = conflicts.groupby("reason").size().sort_values(ascending=False)
    return counts.rename("figures").reset_index()


def _largest(conflicts: pd.DataFrame) -> pd.DataFrame:
    """The ten with the largest ratio, of those decided by the order of the sources."""
    rows = conflicts[conflicts["reason"] == "another source comes first"]
    rows = rows[rows["column"].isin(_FIGURES[:3])]
    ratio = (rows["left_out"].astype(float) / rows["taken"].astype(float)).clip(lower=1e-9)
    rows = rows.assign(far=(ratio.where(ratio > 1, 1 / ratio))).sort_values("far", ascending=False)
    return rows.drop_duplicates(["model", "column"]).head(10)[
        ["model", "column", "taken", "source", "left_out", "left_out_source"]
    ]


def _by_source(models: pd.DataFrame) -> pd.DataFrame:
    counts = {figure: models[f"{figure}_source"].value_counts() for figure in _FIGURES}
    table = pd.DataFrame(counts).fillna(0).astype(int).drop(index="", errors="ignore")
    table = table.loc[table.sum(axis=1).sort_values(ascending=False).index]
    return table.rename_axis("source").reset_index()


def _groups(tasks: pd.DataFrame) -> pd.DataFrame:
    """How many tasks each publication has."""
    rows = tasks.groupby("source").agg(
        tasks=("task", "size"), chance=("chance", "count"), questions=("questions", "count")
    )
    return rows.sort_values("tasks", ascending=False).head(20).reset_index()


def _used(models: pd.DataFrame, tasks: pd.DataFrame, sources: pd.DataFrame) -> pd.DataFrame:
    used = {name for figure in _FIGURES for name in models[f"{figure}_source"]} | {*tasks["source"]}
    missing = used - {*sources["source"], ""}
    if missing:
        raise ValueError(f"expected a row of sources.csv for each source, but not for: {missing}")
    return sources[sources["source"].isin(used)]


def _markdown(table: pd.DataFrame) -> str:
    rows = [map(str, row) for row in table.itertuples(index=False)]
    lines = [" | ".join(cells) for cells in [table.columns, ["---"] * table.shape[1], *rows]]
    return "\n".join(f"| {line} |" for line in lines)
