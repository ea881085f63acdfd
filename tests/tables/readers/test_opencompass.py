"""Summaries of OpenCompass: a file and a folder, what is a group, what is per cent."""

import pytest

import upturn
from upturn.checks.errors import DataError

SUMMARY = """dataset,version,metric,mode,opencompass.models.huggingface.HuggingFace_lab_m-1b,m-7b
lukaemon_mmlu_anatomy,2fb5f7,accuracy,ppl,22.22,48.15
openai_humaneval,8e312c,humaneval_pass@1,gen,0.00,0.61
flores,b2a1c3,bleu,gen,1.20,31.50
gsm8k,1d7fe4,accuracy,gen,82.00 (41/50),-
mmlu,-,naive_average,ppl,22.22,48.15
math,-,-,-,-,-
"""
TEXT = (
    "20240101_101010\ntabulate format\n^^^^\ndataset  version  metric\n-------\n$$$$\n\n"
    f"---- THIS IS A DIVIDER ----\n\ncsv format\n^^^^\n{SUMMARY}$$$$\n\nraw format\nModel: m\n"
)
MARKDOWN = "\n".join(f"| {line.replace(',', ' | ')} |" for line in SUMMARY.splitlines())
ROWS = {
    ("lukaemon_mmlu_anatomy", "lab/m-1b", "ppl", "accuracy", 0.2222),
    ("lukaemon_mmlu_anatomy", "m-7b", "ppl", "accuracy", 0.4815),
    ("openai_humaneval", "lab/m-1b", "gen", "humaneval_pass@1", 0.0),
    ("openai_humaneval", "m-7b", "gen", "humaneval_pass@1", 0.0061),
    ("flores", "lab/m-1b", "gen", "bleu", 1.2),
    ("flores", "m-7b", "gen", "bleu", 31.5),
    ("gsm8k", "lab/m-1b", "gen", "accuracy", 0.82),
}


def rows_of(results):
    labels = ["task", "model", "setting", "metric", "score"]
    return set(results.frame[labels].itertuples(index=False, name=None))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("summary_20240101_101010.csv", SUMMARY),
        ("renamed.csv", SUMMARY),
        ("summary_20240101_101010.txt", TEXT),
        ("summary_20240101_101010.md", MARKDOWN),
    ],
)
def test_a_summary(name, content, tmp_path):
    (tmp_path / name).write_text(content)
    results = upturn.read(tmp_path / name, facts="none")
    assert rows_of(results) == ROWS
    assert results.continuous_metrics == {"bleu"}
    assert results.frame.query("task == 'gsm8k'")["trials"].tolist() == [50]
    assert any("groups left out beside their members: 'mmlu'" in note for note in results.notes)


def test_a_folder_of_runs(tmp_path):
    folder = tmp_path / "outputs" / "20240101_101010"
    for place in ("summary", "predictions"):
        (folder / place).mkdir(parents=True)
    (folder / "predictions" / "a.json").write_text("{ broken")  # answers, which are not looked at
    for suffix, content in {".csv": SUMMARY, ".txt": TEXT, ".md": MARKDOWN}.items():
        (folder / "summary" / f"summary_20240101_101010{suffix}").write_text(content)
    results = upturn.read(tmp_path, facts="none", groups=True)
    averages = {
        (task, m, "ppl", "naive_average", s)
        for task, m, _, _, s in {
            ("mmlu", "lab/m-1b", "", "", 0.2222),
            ("mmlu", "m-7b", "", "", 0.4815),
        }
    }
    assert rows_of(results) == ROWS | averages


def test_facts_are_known_by_its_names_of_tasks(tmp_path):
    (tmp_path / "s.csv").write_text(SUMMARY)
    frame = upturn.read(tmp_path / "s.csv").frame.query("task == 'lukaemon_mmlu_anatomy'")
    assert (frame["chance"].tolist(), frame["trials"].tolist()) == ([0.25] * 2, [135] * 2)


def test_a_row_that_lacks_cells(tmp_path):
    (tmp_path / "s.csv").write_text(SUMMARY + "piqa,1,accuracy\n")
    with pytest.raises(DataError, match="row 8: expected 6 cells as in the header, but got 3; "):
        upturn.read(tmp_path / "s.csv")
