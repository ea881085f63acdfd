"""Harnesses told by what is in their files, each by a small document of its published layout."""

import json
from importlib.metadata import EntryPoint

import pytest

import upturn
from upturn.checks.errors import DataError
from upturn.tables.readers import kinds
from upturn.tables.readers.evaluations import read_evaluations

LIGHTEVAL = {
    "config_general": {"model_name": "lab/x-1B", "max_samples": None},
    "results": {
        "leaderboard|mmlu:anatomy|5": {"acc": 0.4, "acc_stderr": 0.05},
        "leaderboard|mmlu:_average|5": {"acc": 0.4},
        "all": {"acc": 0.4},
    },
    "versions": {},
    "config_tasks": {"leaderboard|mmlu:anatomy": {"effective_num_docs": 135}},
}
EVERY_EVAL_EVER = {
    "schema_version": "0.2.0",
    "model_info": {"name": "x", "id": "lab/x-1B"},
    "evaluation_results": [
        {
            "evaluation_name": "choice",
            "source_data": {"dataset_name": "ai2_arc", "sample_ids": [1, 2, 3, 4]},
            "metric_config": {
                "evaluation_description": "accuracy", "lower_is_better": False,
                "min_score": 0, "max_score": 100,
            },
            "score_details": {"score": 50.0},
        }
    ],
}  # fmt: skip
OLMES = {
    "task_name": "arc_easy",
    "task_config": {"primary_metric": "acc_raw", "num_shots": 5, "limit": None},
    "model_config": {"model": "lab/x-1B", "revision": "main"},
    "num_instances": 100,
    "metrics": {"primary_score": 0.4, "acc_raw": 0.4, "acc_per_char": 0.5},
}
MTEB = {
    "task_name": "Banking77",
    "mteb_version": "1.12.0",
    "dataset_revision": "1",
    "scores": {"test": [{"main_score": 0.8, "hf_subset": "default", "languages": ["eng-Latn"]}]},
}
BIGCODE = {"humaneval": {"pass@1": 0.25}, "config": {"model": "lab/x-1B", "limit": None}}
EVALPLUS = {"x-1B": {"pass@1": {"humaneval": 24.4, "mbpp": None}, "size": 1.3}}
CARD = {"all": {"bbh_a": {"acc_norm,none": 0.5, "acc_norm_stderr,none": 0.05, "alias": "a"}}}
DOCUMENTS = {
    "lighteval": (LIGHTEVAL, ("mmlu:anatomy", "lab/x-1B", "acc", 0.4)),
    "every-eval-ever": (EVERY_EVAL_EVER, ("ai2_arc:choice", "lab/x-1B", "accuracy", 0.5)),
    "olmes": (OLMES, ("arc_easy", "lab/x-1B", "acc_raw", 0.4)),
    "mteb": (MTEB, ("Banking77", "x", "main_score", 0.8)),
    "code": (BIGCODE, ("humaneval", "lab/x-1B", "pass@1", 0.25)),
    "details-card": (CARD, ("bbh_a", "file", "acc_norm", 0.5)),
}


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_a_kind_is_told_by_its_content(kind, tmp_path):
    document, row = DOCUMENTS[kind]
    path = tmp_path / "lab__x" / ("a" * 40) / "file.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(document))
    expected = row if kind != "mteb" else (row[0], "lab/x", *row[2:])
    for source in (tmp_path, path):
        frame = upturn.read(source, facts="none").frame
        assert frame[["task", "model", "metric", "score"]].to_numpy().tolist() == [list(expected)]
    assert len(read_evaluations(tmp_path, kind=kind).frame) == 1
    others = {name for name, of in kinds.BUILT_IN.items() if name != kind and of.holds(document)}
    assert not others


def test_the_leaderboard_of_evalplus_is_per_cent_and_billions(tmp_path):
    (tmp_path / "results.json").write_text(json.dumps(EVALPLUS))
    frame = upturn.read(tmp_path / "results.json", facts="none").frame
    assert (frame["score"].tolist(), frame["params"].tolist()) == ([0.244], [1.3e9])


def test_a_harness_has_aliases(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(LIGHTEVAL))
    assert kinds.canonical("lm_eval") == "lm-eval"
    with pytest.raises(DataError, match="expected results of 'lm-eval', but got none"):
        read_evaluations(tmp_path, kind="lm_eval")


# ---- kinds of other packages ---------------------------------------------------------------------


def toy_rows(document, path):
    yield {"task": "t", "model": path.stem, "metric": "acc", "score": document["toy"]}


TOY = kinds.Kind(
    title="Toy",
    by_name=lambda path: None if path.suffix == ".json" else False,
    holds=lambda document: isinstance(document, dict) and "toy" in document,
    rows=toy_rows,
)


@pytest.fixture
def registered(monkeypatch):
    """Register an object of this module as the reader "toy"."""

    def register(name):
        entry = EntryPoint("toy", f"{__name__}:{name}", kinds.ENTRY_POINTS)
        monkeypatch.setattr(kinds, "entry_points", lambda group: [entry])
        kinds.kinds.cache_clear()

    yield register
    monkeypatch.undo()
    kinds.kinds.cache_clear()


def test_another_package_adds_a_kind(registered, tmp_path):
    registered("TOY")
    (tmp_path / "m.json").write_text('{"toy": 0.5}')
    assert upturn.read(tmp_path).frame["score"].tolist() == [0.5]
    assert len(read_evaluations(tmp_path, kind="toy").frame) == 1


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("toy_rows", r"reader 'toy': expected a Kind at .*, but got function; see the page Ext"),
        ("none", r"reader 'toy': expected .* to load, but got AttributeError"),
    ],
)
def test_a_broken_entry_point_is_named(registered, tmp_path, name, message):
    registered(name)
    with pytest.raises(DataError, match=message):
        upturn.read(tmp_path)
