"""Layouts that people keep results in: counts, errors, models as columns, graded answers."""

import pytest

import upturn
from upturn.checks.errors import DataError

MODELS = ["m-1b", "m-2b", "m-7b"]


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Read text as the file r.csv."""
    monkeypatch.chdir(tmp_path)

    def read_text(text, **options):
        (tmp_path / "r.csv").write_text(text)
        return upturn.read("r.csv", facts="none", **options)

    return read_text


def rows(header, *cells):
    lines = [f"t,{model},{cell}" for model, cell in zip(MODELS, cells, strict=True)]
    return "\n".join([f"task,model,{header}", *lines]) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        rows("score", "20/200", "40 / 200", "100/200"),
        rows("correct,total", "20,200", "40,200", "100,200"),
        rows("num_correct,total", "20,200", "40,200", "100,200"),
        rows("Passed,Out of", "20,200", "40,200", "100,200").replace("Passed", "successes"),
    ],
)
def test_counts(read, text):
    frame = read(text).frame
    assert frame["successes"].tolist() == [20, 40, 100]
    assert frame["trials"].tolist() == [200, 200, 200]


@pytest.mark.parametrize("text", ["0.1 ± 0.02", "0.1+/-0.02", "0.1 (0.02)", "10% ± 2%", "10% (2%)"])
def test_a_score_with_its_error(read, text):
    results = read(rows("score", text, text, text))
    assert results.frame["score"].tolist() == [0.1] * 3
    assert results.frame["stderr"].tolist() == [0.02] * 3
    assert any(note.startswith("3 scores with an error") for note in results.notes)


def test_counts_and_shares_in_one_column_are_refused(read):
    with pytest.raises(DataError, match=r"row 3, column score: expected a number, but got '20"):
        read(rows("score", "0.1", "20/200", "0.5"))


def test_one_column_a_model(read):
    text = "task,m-1b,m-2b,m-7b\nt,0.1,0.2,0.5\nu,0.2,0.2,-\n"
    with pytest.raises(DataError, match=r"one column a model \('m-1b', .*\); type: upturn fit r"):
        read(text)
    frame = read(text, wide=True).frame
    assert frame["model"].tolist() == [*MODELS, *MODELS[:2]]
    assert frame["score"].tolist() == [0.1, 0.2, 0.5, 0.2, 0.2]


def test_a_header_with_a_unit_is_no_reason_to_leave_the_column_out(read):
    text = "Model,Params (B),A,B,Average\nm-1b,1,10,20,15\nm-7b,7,30,40,35\n"
    with pytest.raises(DataError) as error:
        read(text)
    assert "('A', 'B')" in str(error.value)
    assert "type: upturn fit r.csv --wide --percent all (in" in str(error.value)
    assert set(read(text, wide=True, percent="all").frame["params"]) == {1e9, 7e9}


def test_the_table_of_the_open_llm_leaderboard(read):
    header = "eval_name,Type,fullname,Model,Average ⬆️,Hub ❤️,#Params (B),Generation,GPQA,GPQA Raw"
    cells = "{0}_bf16,pretrained,lab/{0},\"<a target='_blank' href='https://x'>lab/{0}</a>\",5,7,{1},0,{2},{3}"
    raw = [0.25, 0.3, 0.5]
    lines = [
        cells.format(model, size, 100 * (score - 0.25) / 0.75, score)
        for model, size, score in zip(MODELS, [1, 2, 7], raw, strict=True)
    ]
    text = "\n".join([header + ",BBH", *(f"{line},40" for line in lines)])
    with pytest.raises(
        DataError, match=r"one column a task \('GPQA Raw', 'BBH'\); type: upturn fit r"
    ):
        read(text)
    results = read(text, wide=True, ignore=["BBH"])
    frame = results.frame
    assert frame["model"].tolist() == [f"lab/{model}" for model in MODELS]
    assert (set(frame["task"]), frame["score"].tolist()) == ({"GPQA"}, raw)
    assert frame["params"].tolist() == [1e9, 2e9, 7e9]
    assert "'GPQA': scores before they were rescaled are taken" in results.notes


def test_graded_answers_of_inspect(read):
    header = "sample_id,eval_id,model,task_name,id,epoch,score_match,score_judge,score_judge_why"
    answers = [
        f"s{model}{question}{epoch},e,{model},arc,{question},{epoch},{'CI'[epoch - 1]},0.{epoch},x"
        for model in MODELS
        for question in range(4)
        for epoch in (1, 2)
    ]
    text = "\n".join([header, *answers])
    with pytest.raises(DataError, match=r"metric 'judge' again.*choose by --repeats latest"):
        read(text)
    results = read(text, metric="match")
    assert results.frame["score"].tolist() == [0.5] * 3
    assert "single answers, graded in 'score_match', 'score_judge'" in results.notes


def test_all_columns_that_are_missing_are_named_with_one_remedy(read):
    with pytest.raises(DataError) as error:
        read("Modell,Punkte\nm,0.5\n")
    assert str(error.value) == (
        "r.csv: expected columns 'task', 'model', 'score', but got 'Modell', 'Punkte'; add task, "
        "score, or name the columns: --column task=NAME --column model=Modell --column score=NAME"
    )


def test_utf_16(tmp_path):
    path = tmp_path / "r.csv"
    path.write_bytes("task\tmodel\tscore\r\nPrüfung\tm\t0.5\r\n".encode("utf-16"))
    assert upturn.read(path, facts="none").frame["task"].tolist() == ["Prüfung"]
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match="expected UTF-16 text, as the file begins, but got other"):
        upturn.read(path)


def test_a_folder_with_other_json_beside_its_tables(tmp_path):
    (tmp_path / "arc.csv").write_text("model,score\nm,0.5\n")
    (tmp_path / "settings.json").write_text('{"seed": 1}')
    assert upturn.read(tmp_path, facts="none").frame["task"].tolist() == ["arc"]


def test_a_folder_of_a_table_a_model(tmp_path):
    for model in MODELS:
        (tmp_path / f"{model}.csv").write_text("task,score\nt,0.5\nu,0.2\n")
    frame = upturn.read(tmp_path, facts="none").frame
    assert frame["model"].tolist() == [model for model in MODELS for _ in range(2)]
    assert frame["task"].tolist() == ["t", "u"] * 3


def test_the_unit_that_is_proposed_fits_the_numbers(read):
    for cells, unit in ((("70", "1000", "12000"), "M"), (("0.07", "1", "12"), "B")):
        with pytest.raises(DataError, match=f"for example --unit params={unit}, or"):
            read(rows("score,params", *(f"0.5,{cell}" for cell in cells)))
