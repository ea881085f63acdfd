"""Facts about tasks: what papers state of their data sets, and what was counted."""

import math
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from upturn.tables.facts.tasks import task_key

FOLDER = Path(__file__).parent
COLUMNS = (
    "task", "also", "metric", "chance", "chance_source", "questions", "questions_source",
    "lower_is_better", "source",
)  # fmt: skip
_MMLU = "Hendrycks et al. 2021"
_BBH = "Suzgun et al. 2022"
_BIG_BENCH = "Srivastava et al. 2022"
# harnesses whose prompt or filter stands in the name of a task of BIG-Bench Hard
_BBH_NAMES = (
    "bbh_cot_fewshot_{}", "bbh_cot_zeroshot_{}", "bbh_fewshot_{}", "bbh_zeroshot_{}", "bbh:{}",
    "leaderboard_bbh_{}",
)  # fmt: skip

# Questions that stand twice in BIG-bench are left out of its data set, which harnesses read.
_WITHOUT_REPEATED = {
    "gre_reading_comprehension": 31, "social_iqa": 1935, "sports_understanding": 986,
    "strategyqa": 2289,
}  # fmt: skip


def tasks(data: Path) -> pd.DataFrame:
    """One row a task, its names as `task_key` gives them.

    Parameters
    ----------
    data
        The folder of tables.
    """
    rows = [*_published(), *_mmlu(data), *_bbh(data), *_big_bench(data)]
    table = pd.DataFrame([_keyed(row) for row in rows])[list(COLUMNS)]
    names = [name for row in table.itertuples() for name in (row.task, *str(row.also).split())]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"expected each name of a task once, but got again: {', '.join(twice)}")
    return table.sort_values("task", ignore_index=True)


def _keyed(row: dict[str, Any]) -> dict[str, Any]:
    """A row with names as keys, and the source of each figure."""
    task = task_key(row["task"])
    also = sorted({task_key(name) for name in row.get("also", ())} - {task})
    split = f", {row['split']}" if "split" in row else ""
    has = {column: row.get(column) is not None for column in ("chance", "questions")}
    return {
        "task": task,
        "also": " ".join(also),
        "metric": row.get("metric", ""),
        "chance": row.get("chance", math.nan),
        "chance_source": row.get("chance_source", row["source"]) if has["chance"] else "",
        "questions": row.get("questions"),
        "questions_source": f"{row['source']}{split}" if has["questions"] else "",
        "lower_is_better": "yes" if row.get("lower_is_better") else "no",
        "source": row["source"],
    }


def _published() -> Iterator[dict[str, Any]]:
    with (FOLDER / "tasks.toml").open("rb") as file:
        entries = tomllib.load(file)["task"]
    for entry in entries:
        members = entry.pop("of", [""])
        for member in members:
            row = entry | {"task": entry["task"].format(member)}
            row["also"] = [name.format(member) for name in entry.get("also", ())]
            if isinstance(members, dict):
                row["questions"] = members[member]
            yield row


def _mmlu(data: Path) -> Iterator[dict[str, Any]]:
    table = pd.read_csv(data / "mmlu_topics_open_models.csv")
    for task, rows in table.groupby("task"):
        topic = str(task).removeprefix("mmlu_")
        yield {
            "task": task,
            "also": [f"hendrycksTest-{topic}", f"mmlu:{topic}"],
            "chance": 0.25,
            "questions": int(rows["trials"].dropna().unique().item()),
            "source": _MMLU,
            "split": "test",
        }


def _bbh(data: Path) -> Iterator[dict[str, Any]]:
    table = pd.read_csv(data / "bbh_chung2022.csv")
    for task, rows in table.groupby("task"):
        name = str(task).removeprefix("bbh_")
        yield {
            "task": task,
            "also": [form.format(name) for form in _BBH_NAMES],
            "chance": float(rows["chance"].unique().item()),
            "chance_source": f"{_BBH}, counted from the questions",
            "questions": int(rows["trials"].unique().item()),
            "source": _BBH,
            "split": "all",
        }


def _big_bench(data: Path) -> Iterator[dict[str, Any]]:
    """Tasks of BIG-bench: multiple choice with the chance of the options, else answers written.

    Under the plain name harnesses take parts of the questions, so their number is left out there.
    """
    table = pd.read_csv(data / "bigbench_task_facts.csv").replace({math.nan: None})
    taken = {name for row in _published() for name in (row["task"], *row["also"])}
    for row in table.to_dict("records"):
        name, choices = row["task"], row["multiple_choice_examples"]
        if not choices and row["preferred_score"] != "exact_str_match":
            continue
        facts = {
            "chance": row["chance_multiple_choice"] if choices else 0.0,
            "chance_source": f"{_BIG_BENCH}, counted from the questions" if choices else _BIG_BENCH,
            "source": _BIG_BENCH,
        }
        form = "multiple_choice" if choices else "generate_until"
        yield facts | {
            "task": f"bigbench_{name}_{form}",
            "questions": _WITHOUT_REPEATED.get(name, choices or row["examples"]),
            "split": "all",
        }
        if name not in taken:
            yield facts | {"task": name, "also": [f"bigbench:{name}"]}
