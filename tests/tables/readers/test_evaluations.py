"""Folders that harnesses wrote: what is found, skipped, refused, and what it says of a model.

The folder ``evaluations`` beside this file holds what the tools themselves wrote.
"""

import json
import math
import os
import shutil
from pathlib import Path

import pytest

import upturn
from upturn.checks.errors import DataError
from upturn.show.text.formats import to_csv
from upturn.tables.conversion import tabulate
from upturn.tables.readers.evaluations import is_evaluation, read_evaluations

WRITTEN = Path(__file__).parent / "evaluations"
FOLDERS = {"lm-eval": "lm_eval", "bigbench": "bigbench", "helm": "helm", "inspect": "inspect"}


def read(kind, **options):
    return upturn.read(WRITTEN / FOLDERS[kind], **options)


def one(results, **labels):
    """The one row with these labels."""
    frame = results.frame
    for label, value in labels.items():
        frame = frame[frame[label] == value]
    assert len(frame) == 1, frame
    return frame.iloc[0]


def older(model, scores, **config):
    """Results in the older layout of the LM Evaluation Harness."""
    return {
        "results": scores,
        "versions": dict.fromkeys(scores, 0),
        "config": {"model": "hf-causal", "model_args": model, "num_fewshot": 0} | config,
    }


def write(path, document):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


# ---- every kind ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FOLDERS)
def test_the_kind_is_found(kind):
    named = read_evaluations(WRITTEN / FOLDERS[kind], kind=kind).frame
    assert read_evaluations(WRITTEN / FOLDERS[kind]).frame.equals(named)


@pytest.mark.parametrize("kind", FOLDERS)
def test_the_table_that_is_written_reads_as_the_folder_does(kind, tmp_path):
    harvest = read_evaluations(WRITTEN / FOLDERS[kind])
    frame, _ = tabulate(WRITTEN / FOLDERS[kind], kind=kind)
    (tmp_path / "table.csv").write_text(to_csv(frame))
    again = upturn.read(
        tmp_path / "table.csv", lower_is_better=harvest.lower, continuous=harvest.continuous
    )
    direct = read(kind)
    assert again.frame.equals(direct.frame)
    assert again.lower_metrics == direct.lower_metrics


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_file_that_ends_in_the_middle_is_named(kind, tmp_path):
    shutil.copytree(WRITTEN / FOLDERS[kind], tmp_path / "r")
    path = max((tmp_path / "r").rglob("*.[je][sv][oa]*"), key=lambda p: p.name == "stats.json")
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(DataError, match=r"was the run interrupted\?") as refused:
        upturn.read(tmp_path / "r")
    assert path.name in str(refused.value)


@pytest.mark.parametrize("kind", FOLDERS)
def test_another_kind_has_no_results_of_it(kind, tmp_path):
    other = "bigbench" if kind != "bigbench" else "lm-eval"
    with pytest.raises(DataError, match=rf"expected results of '{other}', but got none in \d+ fil"):
        read_evaluations(WRITTEN / FOLDERS[kind], kind=other)


def test_two_kinds_in_one_folder(tmp_path):
    for kind in ("bigbench", "inspect"):
        shutil.copytree(WRITTEN / kind, tmp_path / kind)
    with pytest.raises(DataError, match=r"results of one harness, but got bigbench .*and inspect"):
        upturn.read(tmp_path)
    assert len(read_evaluations(tmp_path, kind="inspect").frame) == 7


def test_one_file_and_what_is_none(tmp_path):
    path = next((WRITTEN / "inspect").glob("*.json"))
    assert len(upturn.read(path)) == 1
    assert is_evaluation(tmp_path)
    assert not is_evaluation("gpt3")
    assert not is_evaluation(tmp_path / "t.csv")
    with pytest.raises(
        DataError, match=r"results of 'lighteval', 'every-eval-ever', .* got none in 0 files"
    ):
        upturn.read(tmp_path)
    with pytest.raises(DataError, match=r"there is none of that name; check the path"):
        read_evaluations(tmp_path / "none")
    with pytest.raises(DataError, match=r"did you mean 'helm'\?"):
        read_evaluations(tmp_path, kind="helmm")


def test_other_files_are_skipped_and_counted(tmp_path):
    write(tmp_path / "a.json", older("pretrained=a", {"t": {"acc": 0.5}}))
    for name in ("notes.txt", "other.json", "list.json", ".hidden", "full-log_x.json"):
        write(tmp_path / "deep" / name, "[1, 2]")
    results = upturn.read(tmp_path)
    assert "5 files without results skipped" in results.notes
    assert len(results) == 1


def test_a_pipe_is_not_waited_for(tmp_path):
    write(tmp_path / "a.json", older("pretrained=a", {"t": {"acc": 0.5}}))
    os.mkfifo(tmp_path / "pipe.json")
    assert len(upturn.read(tmp_path)) == 1


@pytest.mark.parametrize(
    ("content", "got"),
    [
        ("", "an empty one; was the run"),
        ('{"results": {"t', "one that ends in the middle; was the run"),
        ('{"results": ]}', "Expecting value at line 1, column 13; write it again"),
        ("[" * 100_000, "one nested too deeply; remove it"),
        (b"\xff\xfe{", "other bytes; write it again"),
        ("9" * 5000, "other bytes; write it again"),
    ],
)
def test_a_broken_document(content, got, tmp_path):
    path = tmp_path / "r.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DataError) as refused:
        upturn.read(path)
    assert f"r.json': expected a JSON file, but got {got}" in str(refused.value)


def test_limits(tmp_path, monkeypatch):
    path = write(tmp_path / "r.json", older("pretrained=a", {"t": {"acc": 0.5}}))
    monkeypatch.setattr("upturn.tables.readers.documents.MAX_JSON_BYTES", 50)
    with pytest.raises(DataError, match=r"at most 5e-05 MB of JSON, but got more"):
        upturn.read(path)
    monkeypatch.setattr("upturn.tables.readers.evaluations.MAX_FILES", 0)
    with pytest.raises(DataError, match=r"at most 0 files, but got more; name a folder in it"):
        upturn.read(tmp_path)


@pytest.mark.parametrize("name", ["MAX_STRANGE", "MAX_STRANGE_BYTES"])
def test_a_folder_of_other_things(name, tmp_path, monkeypatch):
    for file in ("a.json", "b.json"):
        write(tmp_path / file, [1, 2, 3])
    monkeypatch.setattr(f"upturn.tables.readers.evaluations.{name}", 1)
    with pytest.raises(DataError, match=r"JSON files? of other kinds; name the folder of results"):
        upturn.read(tmp_path)


def test_files_that_repeat_a_measurement(tmp_path):
    write(tmp_path / "a.json", older("pretrained=a", {"t": {"acc": 0.5}, "s": {"acc": 0.1}}))
    write(tmp_path / "b.json", older("pretrained=a", {"t": {"acc": 0.5}}))
    results = upturn.read(tmp_path)
    assert "1 row left out that other files repeat" in results.notes
    assert len(results) == 2
    write(tmp_path / "b.json", older("pretrained=a", {"t": {"acc": 0.6}}))
    with pytest.raises(
        DataError, match=r"task 't', .* 0.5 in 'a.json' and 0.6 in 'b.json'; choose"
    ):
        upturn.read(tmp_path)
    latest = upturn.read(tmp_path, repeats="latest").frame
    assert latest.loc[latest["task"] == "t", "score"].tolist() == [0.6]


def test_metrics_that_are_no_proportions(tmp_path):
    scores = {"t": {"acc": 0.5, "points": 37.0, "word_perplexity": 12.0, "rank": 2.0}}
    document = older("pretrained=a", scores) | {"higher_is_better": {"t": {"rank": False}}}
    write(tmp_path / "a.json", document)
    results = upturn.read(tmp_path)
    assert results.lower_metrics == {"word_perplexity", "rank"}
    assert results.continuous_metrics == {"points", "word_perplexity", "rank"}
    _, notes = tabulate(tmp_path)
    assert "read the table with --lower-is-better rank" in notes
    assert "read the table with --continuous points" in notes


# ---- the LM Evaluation Harness -------------------------------------------------------------------


def test_the_present_layout():
    results = read("lm-eval")
    assert set(results.frame["task"]) == {
        "toy_addition", "toy_addition_two", "toy_text", "toy_words",
    }  # fmt: skip
    row = one(
        results, task="toy_words", model="toy/size-1b@step2000", metric="exact_match,strict-match"
    )
    assert (row.shots, row.run, row.step, row.trials) == ("2", "toy/size-1b", 2000, 40)
    limited = one(results, model="toy/size-2b", metric="acc")
    assert (limited.shots, limited.run, limited.trials) == ("0", "", 10)
    assert any("groups left out beside their members: 'toy_group'" in n for n in results.notes)
    with_groups = read("lm-eval", groups=True)
    assert set(with_groups.frame["task"]) - set(results.frame["task"]) == {"toy_group"}
    assert {"word_perplexity", "bits_per_byte"} == results.lower_metrics


def test_the_older_layout(shared_data):
    results = upturn.read(shared_data / "lm_eval")
    assert results.frame["model"].nunique() == 81
    assert results.frame["run"].nunique() == 3
    # the number of questions of a test of MMLU, which no file says: it follows from the error
    law = results.frame[results.frame["task"] == "hendrycksTest-professional_law"]
    assert set(law["trials"]) == {1534}
    published = json.loads((shared_data / "lm_eval/pythia-1.4b/1.4b_step143000.json").read_text())
    row = one(results, task="piqa", model="EleutherAI/pythia-v1.1-1.4b@step143000", metric="acc")
    assert row.score == published["results"]["piqa"]["acc"]
    assert row.step == 143000
    assert "ppl" in results.lower_metrics


@pytest.mark.parametrize(
    ("arguments", "model", "run", "step"),
    [
        ("pretrained=org/a,dtype=float16", "org/a", "", math.nan),
        ("pretrained=org/a,revision=main", "org/a", "", math.nan),
        ("pretrained=org/a,revision=step512", "org/a@step512", "org/a", 512),
        ("pretrained=org/a,revision=step0", "org/a@step0", "org/a", math.nan),
        ("revision=v1.2,pretrained=org/a,peft=b", "org/a+b@v1.2", "org/a+b", math.nan),
        ({"model": "gpt", "revision": "global_step7"}, "gpt@global_step7", "gpt", 7),
        ("", "hf-causal", "", math.nan),
        (["?"], "hf-causal", "", math.nan),
    ],
)
def test_models_and_checkpoints(arguments, model, run, step, tmp_path):
    path = write(tmp_path / "a.json", older(arguments, {"t": {"acc": 0.5}}))
    row = read_evaluations(path).frame.iloc[0]
    assert row["model"] == model
    assert row.get("run", "") == run
    assert row.get("step", math.nan) == step or math.isnan(step)


def test_facts_that_the_harness_reports(tmp_path):
    document = older("pretrained=a", {"t": {"acc": 0.5}}, model_num_parameters=124439808)
    row = read_evaluations(
        write(tmp_path / "a.json", document | {"chat_template": "x"})
    ).frame.iloc[0]
    assert row["params"] == 124439808
    assert row["setting"] == "chat"


def test_cells_that_are_no_numbers_are_no_scores(tmp_path):
    values = {"alias": "t", "acc": "N/A", "f1": True, "em": None, "acc_norm": 0.5}
    text = json.dumps(older("pretrained=a", {"t": values | {"mcc": math.nan}}))
    assert "NaN" in text
    frame = read_evaluations(write(tmp_path / "a.json", text)).frame
    assert frame["metric"].tolist() == ["acc_norm"]


# ---- BIG-bench -----------------------------------------------------------------------------------


def test_bigbench():
    results = read("bigbench")
    assert results.frame["model"].nunique() == 6
    row = one(
        results, task="toy_arithmetic:3_digit", model="GPT GPT-3-XL", family="GPT", shots="2",
        metric="multiple_choice_grade",
    )  # fmt: skip
    assert (row.score, row.chance, row.ceiling, row.params) == (0.37, 0.25, 1, 1.17e9)
    aggregate = one(
        results, task="toy_arithmetic", model=row.model, shots="2", metric="multiple_choice_grade"
    )
    assert math.isclose(aggregate.score, (0.37 + 0.47) / 2)
    assert "calibration_multiple_choice_brier_score" in results.lower_metrics
    assert results.continuous_metrics >= {"normalized_aggregate_score", "bleu"}
    with_chance = results.frame[results.frame["chance"].notna()]
    assert set(with_chance["metric"]) == {"multiple_choice_grade", "exact_str_match"}


def test_files_that_differ_on_a_baseline(tmp_path):
    source = WRITTEN / "bigbench" / "toy_unscrambling" / "results"
    shutil.copytree(source, tmp_path / "r")
    path = tmp_path / "r" / "scores_GPT_GPT-3-XL.json"
    path.write_text(path.read_text().replace('"low_score": 0.0', '"low_score": 0.01'))
    results = upturn.read(tmp_path)
    assert any("chance and ceiling left out where files differ" in note for note in results.notes)
    assert results.frame["chance"].isna().all()


# ---- HELM ----------------------------------------------------------------------------------------


def helm_run(folder, name, stats, **adapter):
    spec = {"name": name, "adapter_spec": {"model": "org/m", "max_train_instances": 5} | adapter}
    write(folder / "run_spec.json", spec)
    names = [(key if isinstance(key, dict) else {"name": key, "split": "test"}) for key, _ in stats]
    write(
        folder / "stats.json",
        [
            {"name": named, "count": 1, "mean": mean}
            for named, (_, mean) in zip(names, stats, strict=True)
        ],
    )


def test_helm():
    results = read("helm")
    assert set(results.frame["metric"]) >= {"exact_match", "quasi_exact_match"}
    assert not set(results.frame["metric"]) & {"num_instances", "max_prob", "logprob", "batch_size"}
    row = one(results, metric="exact_match")
    assert (row.task, row.model, row.shots, row.trials) == ("simple_mcqa", "simple/model1", "5", 10)
    assert row.setting == "multiple_choice_joint"
    assert "1 file without results skipped" in results.notes


def test_of_a_run_of_helm_one_split_counts_and_no_perturbation(tmp_path):
    stats = [
        ("num_instances", 50.0),
        ("exact_match", 0.42),
        ({"name": "exact_match", "split": "valid"}, 0.9),
        ({"name": "exact_match", "split": "test", "perturbation": {"name": "typos"}}, 0.1),
        ({"name": "exact_match", "split": "test", "sub_split": "toxic"}, 0.2),
        ("perplexity", 3.0),
    ]
    name = "mmlu:subject=anatomy,method=generation,model=org_m,data_augmentation=canonical"
    helm_run(tmp_path / "a", name, stats, method="generation")
    helm_run(
        tmp_path / "b", "wikitext,model=org_m", stats[:1] + stats[5:], method="language_modeling"
    )
    (tmp_path / "b" / "scenario_state.json").write_text("{")  # large there, and never opened
    results = upturn.read(tmp_path)
    rows = results.frame[["task", "metric", "score", "trials"]].to_numpy().tolist()
    assert rows == [
        ["mmlu:subject=anatomy", "exact_match", 0.42, 50],
        ["wikitext", "perplexity", 3.0, 50],
    ]
