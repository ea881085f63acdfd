"""Folders of JSON that no harness wrote."""

import json

import pytest

import upturn
from upturn.checks.errors import DataError

SCORES = {"m-1b": {"arc": 0.25, "piqa": 0.5}, "m-7b": {"arc": 0.5, "piqa": 0.75}}
COUNT = 200


def _of_names(model, scores):
    return {f"{model}.json": scores}


def _named(model, scores):
    return {f"{model}.json": {"model": model, "params": 1e9, **scores}}


def _below(model, scores):
    results = {task: {"acc": score, "n": COUNT} for task, score in scores.items()}
    return {f"run-{model}.json": {"model_name": model, "results": results, "seed": 1}}


def _one_name(model, scores):
    return {f"lab__{model}/results.json": {"scores": scores}}


def _a_file_a_task(model, scores):
    return {f"{model}/{t}.json": {"accuracy": s, "total": COUNT} for t, s in scores.items()}


def _log(model, scores):
    paths = {f"eval/{task}/acc": score for task, score in scores.items()}
    return {f"{model}/wandb-summary.json": paths | {"_step": 5, "train/loss": 2.5}}


def _opencompass(model, scores):
    files = {f"run/results/{model}/{t}.json": {"accuracy": 100 * s} for t, s in scores.items()}
    return files | {f"run/predictions/{model}/arc.json": {"0": {"prediction": "A"}}}


LAYOUTS = [_of_names, _named, _below, _one_name, _a_file_a_task, _log, _opencompass]


def write(folder, files):
    for name, document in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout(layout, tmp_path):
    for model, scores in SCORES.items():
        write(tmp_path, layout(model, scores))
    frame = upturn.read(tmp_path, facts="none").frame
    expected = {(m, t, s) for m, of in SCORES.items() for t, s in of.items()}
    models = frame["model"].str.removeprefix("lab/")
    assert set(zip(models, frame["task"], frame["score"], strict=True)) == expected
    assert len(frame) == len(expected)
    with_counts = layout in {_below, _a_file_a_task}
    assert set(frame["trials"].fillna(0)) == ({COUNT} if with_counts else {0})


@pytest.mark.parametrize(
    "files",
    [
        {"a.json": {"lr": 0.1, "epochs": 3}, "b.json": {"lr": 0.2, "epochs": 3}},
        {"m-1b.json": {"arc": 0.5}},
        {"m-1b.json": {"arc": 0.5}, "m-7b.json": ["x"]},
    ],
    ids=["settings", "one file", "another kind"],
)
def test_other_folders_are_refused(files, tmp_path):
    write(tmp_path, files)
    with pytest.raises(DataError, match="but got none in"):
        upturn.read(tmp_path)


def test_results_of_a_trainer(tmp_path):
    for model in SCORES:
        numbers = {"eval_accuracy": 0.5, "eval_runtime": 12.5, "eval_samples": COUNT, "epoch": 3.0}
        write(tmp_path, {f"{model}/eval_results.json": numbers})
    frame = upturn.read(tmp_path, facts="none").frame
    assert frame["model"].tolist() == list(SCORES)
    assert (
        frame[["metric", "score", "trials"]].to_numpy().tolist() == [["accuracy", 0.5, COUNT]] * 2
    )


def test_counts_below_a_name_are_trials(tmp_path):
    path = tmp_path / "r.json"
    path.write_text(json.dumps({"m-1b": {"arc": {"acc": 0.5, "n": COUNT}}}))
    frame = upturn.read(path, facts="none").frame
    assert frame[["score", "trials", "metric"]].to_numpy().tolist() == [[0.5, COUNT, "acc"]]


def test_answers_of_evalplus(tmp_path):
    for model, passed in {"lab--m-1b": 1, "lab--m-7b": 3}.items():
        attempts = [
            [{"base_status": "pass" if i < passed else "fail", "plus_status": "fail"}]
            for i in range(4)
        ]
        answers = {"eval": {f"HumanEval/{i}": of for i, of in enumerate(attempts)}, "date": "x"}
        write(tmp_path, {f"humaneval/{model}_vllm_temp_0.0_eval_results.json": answers})
    frame = upturn.read(tmp_path, facts="none").frame
    assert frame[["model", "task", "score", "trials"]].to_numpy().tolist() == [
        [f"lab/m-{size}", task, score, 4]
        for size, base in (("1b", 0.25), ("7b", 0.75))
        for task, score in (("humaneval", base), ("humaneval+", 0))
    ]


def test_answers_with_several_filters_are_apart(tmp_path):
    answers = [
        {"doc_id": i, "filter": name, "metrics": ["exact_match"], "exact_match": float(i < right)}
        for name, right in (("strict-match", 1), ("flexible-extract", 3))
        for i in range(4)
    ]
    path = tmp_path / "lab__m" / "samples_gsm8k_2024-08-01T10-00-00.jsonl"
    path.parent.mkdir()
    path.write_text("\n".join(map(json.dumps, answers)))
    frame = upturn.read(tmp_path, facts="none").frame
    expected = [["exact_match,strict-match", 0.25], ["exact_match,flexible-extract", 0.75]]
    assert frame[["metric", "score"]].to_numpy().tolist() == expected
