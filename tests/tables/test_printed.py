"""Tables as people print, paste and export them."""

import pandas as pd
import pytest

import upturn
from upturn.checks.errors import DataError
from upturn.tables.readers.levels import flattened

MODELS = ["m-1b", "m-2b", "m-7b"]
TASKS = ["arc", "piqa"]
SCORES = [[0.25, 0.5], [0.3, 0.6], [0.5, 0.7]]


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Read text as a file."""
    monkeypatch.chdir(tmp_path)

    def read_text(text, name="r.csv", encoding="utf-8", **options):
        (tmp_path / name).write_bytes(text.encode(encoding))
        return upturn.read(name, facts="none", **options)

    return read_text


def pairs(results):
    """Task, model and score of each row."""
    return sorted(results.frame[["task", "model", "score"]].itertuples(index=False, name=None))


EXPECTED = sorted(
    (t, m, s) for m, of in zip(MODELS, SCORES, strict=True) for t, s in zip(TASKS, of, strict=True)
)
PIVOT = pd.DataFrame(SCORES, index=pd.Index(MODELS, name="model"), columns=TASKS)


def levels(*, swapped=False, names=(None, None)):
    """A pivot table with tasks and metrics as levels of its columns."""
    columns = [(t, m) for t in TASKS for m in ("acc", "acc_stderr")]
    values = [[v for s in row for v in (s, 0.01)] for row in SCORES]
    columns = pd.MultiIndex.from_tuples([c[::-1] if swapped else c for c in columns], names=names)
    return pd.DataFrame(values, index=PIVOT.index, columns=columns)


@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("names", [(None, None), ("task", "metric")])
def test_columns_in_levels(read, swapped, names):
    results = read(levels(swapped=swapped, names=names).to_csv(), wide=True)
    assert pairs(results) == EXPECTED
    assert set(results.frame["metric"]) == {"acc"}
    assert set(results.frame["stderr"]) == {0.01}
    assert any(note.startswith("header of 3 rows: columns 'model'") for note in results.notes)


def test_columns_in_levels_of_a_frame():
    results = upturn.read(levels(), facts="none", wide=True)
    assert pairs(results) == EXPECTED
    assert pairs(upturn.read(PIVOT, facts="none", wide=True)) == EXPECTED


@pytest.mark.parametrize(
    ("rows", "names", "depth"),
    [
        (
            [["Model", "Hard", ""], ["", "arc", "piqa"], ["m", "0.5", "0.6"]],
            ["Model", "arc", "piqa"],
            2,
        ),
        ([["task", "", "score"], ["", "x", "y"], ["t", "1", "0.6"]], ["task", "", "score"], 1),
        ([["a", "b", "b"], ["x", "0.5", "0.6"], ["y", "0.5", "0.6"]], ["a", "b", "b"], 1),
        ([["a", "b", "b"], ["x", "y", "z"], ["y", "u", "v"]], ["a", "b", "b"], 1),
    ],
)
def test_how_many_rows_are_the_header(rows, names, depth):
    assert flattened(rows) == (names, depth)


def test_merged_cells_of_a_workbook(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["Model", "Hard", None], [None, *TASKS]):
        sheet.append(row)
    for model, scores in zip(MODELS, SCORES, strict=True):
        sheet.append([model, *scores])
    book.save(tmp_path / "r.xlsx")
    assert pairs(upturn.read(tmp_path / "r.xlsx", facts="none", wide=True)) == EXPECTED


@pytest.mark.parametrize(
    "table", [PIVOT.rename_axis(None), PIVOT.T.rename_axis(None)], ids=["models", "tasks"]
)
def test_a_first_column_without_a_name(read, table):
    with pytest.raises(DataError, match=r"type: upturn fit r\.csv --wide"):
        read(table.to_csv())
    results = read(table.to_csv(), wide=True)
    assert pairs(results) == EXPECTED
    assert any(note.startswith("column without a name taken as") for note in results.notes)


def test_a_name_that_stands_once_above_its_rows(read):
    rows = [
        f"{m if t == 'arc' else ''},{t},{s}" for t, m, s in sorted(EXPECTED, key=lambda r: r[1])
    ]
    results = read("\n".join(["model,task,score", *rows]))
    assert pairs(results) == EXPECTED
    assert "merged cells: the name above taken in 3 rows of model" in results.notes


def test_a_name_that_was_forgotten_is_refused(read):
    for text in ("m-1b,arc,0.2\n,arc,0.3\nm-7b,arc,0.5\n", "a,arc,0.2\na,piqa,0.2\n,x,0.3\n"):
        with pytest.raises(DataError, match=r"row \d, column model: expected a name, but got ''"):
            read(f"model,task,score\n{text}")


def test_rows_that_are_no_models_are_left_out(read):
    table = PIVOT.copy()
    table.loc["Average"] = table.mean()
    table["All"] = table.mean(axis=1)
    results = read(table.to_csv() + "Note: 25-shot,,,\n", wide=True)
    assert pairs(results) == EXPECTED
    assert "1 row of averages or totals left out: 'Average'" in results.notes
    assert "1 row with one cell alone left out: 'Note: 25-shot'" in results.notes
    assert "averages left out: 'All'" in results.notes


def test_a_log_of_training_runs(read):
    header = "Name,State,Runtime,eval/arc/acc,eval/piqa/acc,train/loss"
    rows = [f"{m},done,3600,{a},{b},2.5" for m, (a, b) in zip(MODELS, SCORES, strict=True)]
    text = "\n".join([header, *rows])
    with pytest.raises(
        DataError, match=r"a task \('eval/arc/acc', 'eval/piqa/acc'\); type: upturn"
    ):
        read(text)
    results = read(text, wide=True)
    assert pairs(results) == EXPECTED
    assert set(results.frame["metric"]) == {"acc"}


def test_a_wide_table_needs_names(read):
    text = "checkpoint,arc,piqa\na,0.2,0.3\nb,0.4,0.5\n"
    with pytest.raises(DataError, match=r"type: upturn fit r.csv --wide --column model=checkpoint"):
        read(text)
    with pytest.raises(DataError, match=r"say which column names them: --column model=checkpoint"):
        read(text, wide=True)
    assert len(read(text, wide=True, columns={"model": "checkpoint"})) == 4
    with pytest.raises(DataError, match=r"models or tasks, but got 'Step', 'a', 'b'; add a column"):
        read("Step,a,b\n1,0.2,0.3\n2,0.4,0.5\n", wide=True)


def test_a_table_of_means(read):
    long = PIVOT.rename_axis(columns="task").stack().rename("x").reset_index()
    table = long.groupby(["model", "task"])["x"].agg(["mean", "std", "count"])
    results = read(table.to_csv())
    assert pairs(results) == EXPECTED
    assert results.frame["trials"].isna().all()


def test_markdown_with_text_around(read):
    rule = "|---|:--|---:|\n"
    tables = [
        "| model | task | score |\n"
        + rule
        + "".join(f"| **{m}** | `{t}` | {s} |\n" for m, s in zip(MODELS, column, strict=True))
        for t, column in zip(TASKS, zip(*SCORES, strict=True), strict=True)
    ]
    text = "# Results\n\nThese, we found:\n\n" + "\nAnd these:\n\n".join(tables) + "\nThe end.\n"
    for name in ("r.md", "r.txt"):
        assert pairs(read(text, name)) == EXPECTED


@pytest.mark.parametrize(
    ("encoding", "end"),
    [
        ("utf-8-sig", "\r"),
        ("utf-8-sig", "\r\n"),
        ("utf-16", "\r\n"),
        ("utf-16-le", "\n"),
        ("utf-16-be", "\r\n"),
    ],
)
def test_encodings_and_ends_of_lines(read, encoding, end):
    text = PIVOT.to_csv().replace("\n", end)
    assert pairs(read(text, encoding=encoding, wide=True)) == EXPECTED


def test_signs_and_errors_of_spreadsheets(read):
    text = "model,task,metric,score\na,t,logprob,−1.5\nb,t,logprob,#DIV/0!\n"
    results = read(text)
    assert results.frame["score"].tolist() == [-1.5]
    assert "column score: '#DIV/0!' in 1 row is unknown" in results.notes


def test_per_cent_in_a_header(read):
    rows = "".join(f"{t},{m},{100 * s:g}\n" for t, m, s in EXPECTED)
    assert pairs(read(f"task,model,acc (%)\n{rows}")) == EXPECTED
    assert set(read("task,model,acc (%)\nt,m,0.5\n").frame["score"]) == {0.5}


def test_per_cent_in_some_tasks_only(read):
    rows = "".join(f"{t},{m},{100 * s if t == 'piqa' else s:g}\n" for t, m, s in EXPECTED)
    text = f"task,model,score\n{rows}"
    with pytest.raises(DataError, match=r"got 'arc' with none; name .* per cent: --percent piqa$"):
        read(text, percent="all")
    assert pairs(read(text, percent="piqa")) == EXPECTED
    both = read(text, percent=("piqa", "arc"))
    assert "3 scores of at most 1 in per cent divided by 100 too, from 0.25 to 0.5" in both.notes


def test_a_model_of_several_sizes_is_named(read):
    results = read("task,model,score,params\nt,m,0.5,1e9\nu,m,0.5,2e9\nt,n,0.5,7e9\nu,n,0.5,7e9\n")
    note = "1 model with several sizes, such as 'm': 1e+09 and 2e+09 parameters"
    assert note in results.notes


def test_spaces_make_no_other_task(read):
    assert set(read("task,model,score\nt,a,0.5\nt ,b,0.5\n").frame["task"]) == {"t"}
    assert set(read("task,model,score\nt ,a,0.5\nu,b,0.5\n").frame["task"]) == {"t ", "u"}


def test_the_remark_that_is_no_row(read):
    with pytest.raises(DataError, match="but got 1; remove the row if it is a remark, else"):
        read("task,model,score\nt,a,0.5\n* ours\n")


def test_models_of_one_name_are_told_apart_by_their_sizes(read):
    rows = [f"Pythia,{m[2:].upper()},{t},{s}" for t, m, s in EXPECTED]
    long = "\n".join(["Model,Size,task,score", *rows])
    with pytest.raises(DataError, match=r"; name the models apart by --column model=model\+params"):
        read(long)
    table = read(long, columns={"model": "model+params"}).frame
    assert sorted(table["model"].unique()) == ["Pythia-1B", "Pythia-2B", "Pythia-7B"]
    wide = [f"Pythia,{m[2:]},{a},{b}" for m, (a, b) in zip(MODELS, SCORES, strict=True)]
    with pytest.raises(
        DataError, match=r"type: upturn fit r.csv --wide --column model=model.params"
    ):
        read("\n".join(["Model,Size,arc,piqa", *wide]))
    with pytest.raises(
        DataError, match=r"expected column 'model', but got .*; --column model=params"
    ):
        read("\n".join(["Size,task,score", *(row[7:] for row in rows)]))
    sizes = read(
        "\n".join(["Size,task,score", *(row[7:] for row in rows)]), columns={"model": "params"}
    )
    assert sizes.frame["params"].tolist() == table["params"].tolist()


@pytest.mark.parametrize(
    ("header", "metric"),
    [
        ("model,arc_acc,arc_acc_stderr,piqa_acc,piqa_acc_stderr", "acc"),
        ("model,arc (acc),arc (acc) stderr,piqa (acc),piqa (acc) stderr", "acc"),
        ("model,arc,arc_n,piqa,piqa_n", None),
    ],
)
def test_what_stands_beside_a_score_in_a_wide_table(read, header, metric):
    count = "100" if metric is None else "0.05"
    rows = [f"{m},{a},{count},{b},{count}" for m, (a, b) in zip(MODELS, SCORES, strict=True)]
    results = read("\n".join([header, *rows]), wide=True)
    assert pairs(results) == EXPECTED
    if metric is None:
        assert set(results.frame["trials"]) == {100}
    else:
        assert (set(results.frame["metric"]), set(results.frame["stderr"])) == ({metric}, {0.05})


def test_a_standard_error_in_per_cent_is_refused(read):
    with pytest.raises(
        DataError, match=r"a proportion, but got 1.2; .* leave it out: --ignore std"
    ):
        read("task,model,score,stderr\nt,a,0.5,1.2\nt,b,0.6,0.1\n")
    assert len(read("task,model,score,stderr,trials\nt,a,0.5,1.2,100\n")) == 1


def test_counts_of_right_answers_in_a_wide_table(read):
    rows = [
        f"{m},{200 * a:g},200,{200 * b:g},200" for m, (a, b) in zip(MODELS, SCORES, strict=True)
    ]
    text = "\n".join(["model,arc_correct,arc_total,piqa_correct,piqa_total", *rows])
    with pytest.raises(DataError, match=r"one column a task \('arc_correct', 'piqa_correct'\)"):
        read(text)
    results = read(text, wide=True)
    assert pairs(results) == EXPECTED
    assert set(results.frame["trials"]) == {200}


def test_a_column_that_tells_repeats_apart_is_proposed(read):
    rows = [
        f"{m},{tuned},t,{a}"
        for m, of in zip(MODELS, SCORES, strict=True)
        for tuned, a in zip(("no", "yes"), of, strict=True)
    ]
    text = "\n".join(["model,tuned,task,score", *rows])
    with pytest.raises(DataError, match=r"; take them for settings by --column setting=tuned, or"):
        read(text)
    assert set(read(text, columns={"setting": "tuned"}).frame["setting"]) == {"no", "yes"}


def test_votes_are_no_scores(read):
    with pytest.raises(DataError, match=r"expected columns 'task', 'score', but got .*'Votes'"):
        read("Model,Arena Score,Votes\nm-1b,1000,20\nm-7b,1100,30\n")
