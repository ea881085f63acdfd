"""Tables as people keep them: headers, wide tables, records, per cent, standard errors, answers."""

import gzip
import json

import numpy as np
import pandas as pd
import pytest

import upturn
from upturn.checks.errors import DataError
from upturn.tables.shaping.items import effective_trials

MODELS = ["a-7B", "b-13B", "c-70B"]


def read(frame, **options):
    return upturn.read(frame, facts="none", **options)


def notes_with(results, text):
    return [note for note in results.notes if text in note]


# ---- headers -------------------------------------------------------------------------------------


def test_common_names_in_any_case_are_told_in_one_note():
    results = read(pd.DataFrame({"Dataset": "t", "Model": MODELS, "ACC": 0.5, "N": 10}))
    assert results.notes[0] == (
        "columns taken as: Dataset → task, Model → model, ACC → score, N → trials"
    )
    assert results.frame["trials"].tolist() == [10] * 3


def test_a_column_of_the_schema_keeps_its_name():
    results = read(pd.DataFrame({"task": "t", "model": MODELS, "score": 0.5, "accuracy": 0.9}))
    assert results.frame["score"].tolist() == [0.5] * 3


def test_a_synonym_that_holds_text_is_left_alone():
    frame = pd.DataFrame({"task": "t", "model": MODELS, "score": 0.5, "size": ["s", "m", "l"]})
    assert read(frame).frame["size"].tolist() == ["s", "m", "l"]


def test_columns_are_named_and_joined_on_request():
    frame = pd.DataFrame({"what": "t", "base": ["a", "b"], "seed no": [1, 2], "score": 0.5})
    results = read(frame, columns={"task": "what", "model": "base+seed no"})
    assert results.frame["model"].tolist() == ["a-1", "b-2"]
    with pytest.raises(DataError, match=r"columns 'task', 'model', but got .*--column task=NAME"):
        read(frame)


def test_the_remedy_names_no_unlike_column():
    frame = pd.DataFrame({"task": "t", "model": MODELS, "points": 0.5, "source": "x"})
    with pytest.raises(DataError, match="expected column 'score'") as caught:
        read(frame)
    assert "score=source" not in str(caught.value)


def test_axes_go_by_other_names_and_bookkeeping_is_not_offered():
    frame = pd.DataFrame(
        {"task": "t", "model": MODELS, "score": 0.5, "Best score (of all)": 0.7}
        | {"Training compute (FLOP)": [1e21, 1e22, 1e23], "Release date": "2024-05-01"}
    )
    results = read(frame)
    assert results.axes() == ("flops", "Release date")
    assert results.curves("compute").axes[0].name == "flops"
    assert results.curves("date").axes[0].name == "Release date"


# ---- wide tables and records ---------------------------------------------------------------------


def wide_table():
    return pd.DataFrame(
        {"Model": MODELS, "Average": [50.0, 60.0, 70.0], "ARC (25-shot)": [40.0, 50.0, 60.0]}
        | {"MMLU - EM": [30.0, 40.0, 80.0]}
    )


def test_a_wide_table_prints_the_command_that_reads_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    wide_table().to_csv("wide.csv", index=False)
    with pytest.raises(DataError, match=r"type: upturn fit wide.csv --wide --percent all"):
        upturn.read("wide.csv")
    results = upturn.read("wide.csv", wide=True, percent="all")
    assert results.frame["task"].tolist() == ["ARC", "MMLU"] * 3
    assert results.frame["shots"].tolist() == ["25", ""] * 3
    assert results.frame["score"].tolist() == [0.4, 0.3, 0.5, 0.4, 0.6, 0.8]
    assert notes_with(results, "averages left out: 'Average'")


def test_columns_of_metrics_and_their_errors():
    frame = pd.DataFrame(
        {"task": "t", "model": MODELS, "acc,none": 0.5, "acc_stderr,none": 0.05, "f1": 0.25}
    )
    results = read(frame, wide=True)
    assert sorted(set(results.frame["metric"])) == ["acc", "f1"]
    assert results.frame.loc[results.frame["metric"] == "acc", "trials"].tolist() == [101] * 3


def test_a_long_table_is_not_wide():
    with pytest.raises(DataError, match=r"leave --wide out"):
        read(pd.DataFrame({"task": "t", "model": MODELS, "score": 0.5}), wide=True)


def test_a_column_of_records_gives_a_row_a_metric():
    cell = "{'acc': 0.5, 'bits': 1.3}"
    frame = read(pd.DataFrame({"task": "t", "model": MODELS, "metrics": cell})).frame
    assert frame["metric"].tolist() == ["acc", "bits"] * 3
    assert frame["score"].tolist() == [0.5, 1.3] * 3


RECORDS = [{"task": "t", "model": model, "score": 0.5} for model in MODELS]


def test_formats_of_files(tmp_path):
    (tmp_path / "r.json").write_text(json.dumps(RECORDS))
    (tmp_path / "wrapped.json").write_text(json.dumps({"data": RECORDS}))
    text = pd.DataFrame(RECORDS).to_csv(index=False)
    (tmp_path / "r.csv.gz").write_bytes(gzip.compress(text.encode()))
    for name in ("r.json", "wrapped.json", "r.csv.gz"):
        assert upturn.read(tmp_path / name).frame["model"].tolist() == MODELS
    (tmp_path / "broken.csv.gz").write_bytes(b"task,model")
    with pytest.raises(DataError, match=r"expected a file that gzip made"):
        upturn.read(tmp_path / "broken.csv.gz")


def test_a_gzip_file_that_unpacks_to_far_more_than_its_size(tmp_path, monkeypatch):
    monkeypatch.setattr("upturn.tables.rules.UNPACKED_BYTES", 1_000_000)
    (tmp_path / "r.csv.gz").write_bytes(gzip.compress(b"task,model,score\n" + b"\0" * 10_000_000))
    with pytest.raises(DataError, match=r"unpacks to at most 2 MB, as one of 9,\d{3} bytes may"):
        upturn.read(tmp_path / "r.csv.gz")


def test_a_folder_of_tables(tmp_path):
    for task in ("gsm", "arc"):
        frame = pd.DataFrame({"model": MODELS, "score": 0.5})
        frame.to_csv(tmp_path / f"{task}.csv", index=False)
    results = upturn.read(tmp_path)
    assert results.frame["task"].tolist() == ["arc"] * 3 + ["gsm"] * 3
    assert "2 files read as one table" in results.notes


def test_semicolons_and_decimal_commas(tmp_path):
    path = tmp_path / "euro.csv"
    path.write_text("task;model;score;params\nt;a;0,25;70.000.000\nt;b;0,5;7,5B\n")
    frame = upturn.read(path, facts="none").frame
    assert frame["score"].tolist() == [0.25, 0.5]
    assert frame["params"].tolist()[1] == 7.5e9


# ---- per cent and standard errors ----------------------------------------------------------------


def test_percentages():
    frame = pd.DataFrame({"task": "t", "model": MODELS, "score": ["10%", "20.5 %", "73.0%"]})
    assert read(frame).frame["score"].tolist() == [0.1, 0.205, 0.73]
    with pytest.raises(DataError, match=r"expected a percent sign as in '10%', but got 0.2"):
        read(frame.assign(score=["10%", "0.2", "73%"]))
    frame = frame.assign(score=[10.0, 20.5, 73.0], metric=["em", "em", "f1"], stderr=1.0)
    assert read(frame, percent=["em", "f1"]).frame["stderr"].tolist() == [0.01] * 3
    with pytest.raises(DataError, match=r"where it is in per cent --percent f1"):
        read(frame, percent="em")
    with pytest.raises(DataError, match=r"leave --percent out"):
        read(frame.assign(score=0.5), percent="all")


def test_standard_errors_in_rows_are_joined_and_never_fitted():
    rows = [
        {"task": "t", "model": model, "metric": metric, "score": score}
        for model in MODELS
        for metric, score in (("acc,none", 0.5), ("acc_stderr,none", 0.05))
    ]
    results = read(pd.DataFrame(rows))
    assert results.frame["metric"].tolist() == ["acc"] * 3
    assert results.frame["trials"].tolist() == [101] * 3


def test_plus_minus():
    frame = pd.DataFrame({"task": "t", "model": MODELS, "score": "0.5 ± 0.05"})
    assert read(frame).frame["trials"].tolist() == [101] * 3


# ---- single answers ------------------------------------------------------------------------------


def test_answers_are_added_up():
    rows = [
        {"task": "t", "model": model, "question": q, "score": int(q < 3), "params": 1e9}
        for model in MODELS
        for q in range(10)
    ]
    frame = read(pd.DataFrame(rows)).frame
    assert frame["successes"].tolist() == [3] * 3
    assert frame["trials"].tolist() == [10] * 3
    assert frame["params"].tolist() == [1e9] * 3


def test_effective_trials_are_by_hand():
    """Two questions a cluster that always agree are worth one, but for the correction of clusters.

    Ten clusters of two, five right: Σ (Σ residuals)² = 10, times 10/9, over 20 · ¼ = 5.
    """
    score = np.repeat([1.0, 0.0] * 5, 2)
    cluster = np.repeat(np.arange(10), 2)
    zero = np.zeros(20, dtype=np.int64)
    trials, effect = effective_trials(score, zero, cluster, zero)
    assert effect == pytest.approx(20 / 9)
    assert trials[0] == pytest.approx(9)


def simulated(generator, clusters=60, size=5):
    """Answers of ten models at a true score of 0.4, alike within a cluster (correlation ½)."""
    shared = generator.random((10, clusters, 1)) < 0.4
    own = generator.random((10, clusters, size)) < 0.4
    same = generator.random((10, clusters, size)) < np.sqrt(0.5)
    return np.where(same, shared, own).astype(float)


def test_intervals_cover_with_clusters_and_fail_without():
    """90 % intervals of 2,000 means: 90 ± 3 % with effective trials, below 75 % with plain ones.

    The binomial standard error of the coverage is 0.7 %, so that 87 to 93 % fails by chance with
    a probability below 1e-4; the seed is fixed.
    """
    generator = np.random.default_rng(5)
    inside = np.zeros(2)
    rounds = 200
    for _ in range(rounds):
        answers = simulated(generator)
        point = np.repeat(np.arange(10), 300)
        cluster = np.repeat(np.arange(600), 5)
        trials, _ = effective_trials(answers.ravel(), point, cluster, np.zeros(3000, dtype=int))
        mean = answers.mean(axis=(1, 2))
        for index, count in enumerate((trials, 300)):
            error = np.sqrt(mean * (1 - mean) / count)
            inside[index] += (np.abs(mean - 0.4) < 1.645 * error).mean()
    covered, plain = inside / rounds
    print(f"coverage with clusters {covered:.3f}, without {plain:.3f}")
    assert 0.87 < covered < 0.93
    assert plain < 0.75


# ---- tables that say little ----------------------------------------------------------------------


def test_a_label_that_splits_curves_into_single_points_is_named_before_a_fit():
    models = [f"m{i}" for i in range(12)]
    frame = pd.DataFrame({"task": "t", "model": models, "score": 0.5, "params": 1e9})
    frame = frame.assign(setting=[f"commit {i}" for i in range(12)])
    with pytest.raises(DataError, match=r"12 curves of one point.*--ignore setting"):
        read(frame).curves("params")
    assert read(frame, ignore="setting").curves("params").points.tolist() == [12]


def test_single_points_of_many_tasks_are_no_fault_of_a_label():
    tasks = [f"t{i}" for i in range(12)]
    frame = pd.DataFrame({"task": tasks, "model": "m", "score": 0.5, "params": 1e9})
    assert len(read(frame.assign(setting=tasks)).curves("params")) == 12
