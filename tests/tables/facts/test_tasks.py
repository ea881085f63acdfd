import csv
import math
from pathlib import Path

import pytest

import upturn.tables.facts.tasks as bundled
from upturn.tables.facts.tasks import task_facts, task_key

ROWS = list(
    csv.DictReader(Path(bundled.__file__).with_name("tasks.csv").read_text("utf-8").splitlines())
)


def test_there_are_at_least_200_tasks_each_with_its_source() -> None:
    assert len(ROWS) >= 200
    for row in ROWS:
        assert row["source"]
        for figure in ("chance", "questions"):
            assert bool(row[figure]) == bool(row[f"{figure}_source"]), row


def test_no_name_stands_for_two_tasks() -> None:
    names = [name for row in ROWS for name in (row["task"], *row["also"].split())]
    assert len(set(names)) == len(names)
    assert all(task_key(name) == name for name in names)


def test_chance_is_a_proportion_and_questions_are_whole_numbers() -> None:
    for row in ROWS:
        assert not row["chance"] or 0 <= float(row["chance"]) <= 0.5028, row
        assert not row["questions"] or float(row["questions"]).is_integer(), row


@pytest.mark.parametrize(
    ("name", "chance", "questions"),
    [
        ("bbh_movie_recommendation", 0.2462, 250),
        ("bbh_reasoning_about_colored_objects", 0.1211, 250),
        ("bbh_geometric_shapes", 0.0982, 250),
        ("mmlu_anatomy", 0.25, 135),
        ("hendrycksTest-anatomy", 0.25, 135),
        ("lighteval|mmlu:anatomy|5|0", 0.25, 135),
        ("harness|arc:challenge|25", 0.25, 1172),
        ("leaderboard|arc:challenge|25", 0.25, 1172),
        ("ARC-Challenge", 0.25, 1172),
        ("hellaswag", 0.25, 10042),
        ("piqa", 0.5, 1838),
        ("winogrande", 0.5, 1267),
        ("boolq", 0.5, 3270),
        ("gsm8k", 0, 1319),
        ("truthfulqa_mc1", 0.226, 817),
        ("gpqa_diamond", 0.25, 198),
        ("leaderboard_gpqa_diamond", 0.25, 198),
        ("ifeval", 0, 541),
        ("humaneval", 0, 164),
        ("leaderboard_bbh_snarks", 0.5028, 178),
        ("mmlu_pro_law", math.nan, 1101),
        ("blimp_causative", 0.5, 1000),
        ("mgsm_direct_bn", 0, 250),
        ("xwinograd_jp", 0.5, 959),
        ("arithmetic_3da", 0, 2000),
    ],
)
def test_facts_of_common_tasks(name: str, chance: float, questions: float) -> None:
    facts = task_facts(name)
    assert facts is not None
    assert [facts.chance, facts.questions] == pytest.approx([chance, questions], nan_ok=True)


@pytest.mark.parametrize("name", ["", "t1", "task", "my_task", "mmlu_nothing", "|", "3|4"])
def test_other_tasks_are_not_known(name: str) -> None:
    assert task_facts(name) is None


def test_lower_is_better_where_it_is() -> None:
    wikitext, hellaswag = task_facts("wikitext"), task_facts("hellaswag")
    assert wikitext is not None
    assert wikitext.lower_is_better
    assert hellaswag is not None
    assert not hellaswag.lower_is_better
