"""Workbooks: which sheet, where its header is, and what is no workbook."""

import datetime
import zipfile

import pandas as pd
import pytest

import upturn
from upturn.checks.errors import DataError

pytestmark = pytest.mark.needs("openpyxl")

MODELS = [f"m-{size}b" for size in (1, 2, 7)]
TABLE = pd.DataFrame({
    "Model": MODELS, "Benchmark": "arc", "Params (B)": [1.0, 2.0, 7.0], "Score": [0.2, 0.3, 0.5],
    "Released": [datetime.datetime(2024, 1, day) for day in (1, 2, 3)],
})  # fmt: skip


def test_a_sheet(tmp_path):
    path = tmp_path / "r.xlsx"
    TABLE.to_excel(path, index=False)
    results = upturn.read(path, facts="none")
    assert results.frame["params"].tolist() == [1e9, 2e9, 7e9]
    assert results.frame["Released"].tolist() == ["2024-01-01", "2024-01-02", "2024-01-03"]
    assert results.frame.index.tolist() == [2, 3, 4]


def test_a_title_above_and_other_sheets_beside(tmp_path):
    path = tmp_path / "r.xlsx"
    with pd.ExcelWriter(path) as writer:
        pd.DataFrame({"About": ["mine"]}).to_excel(writer, sheet_name="readme", index=False)
        TABLE.to_excel(writer, sheet_name="results", index=False, startrow=2)
    results = upturn.read(path, facts="none")
    assert results.frame["model"].tolist() == MODELS
    assert results.frame.index.tolist() == [4, 5, 6]
    assert "sheet 'results' read, not 'readme'" in results.notes


def test_a_wide_sheet_has_the_command(tmp_path):
    path = tmp_path / "r.xlsx"
    wide = pd.DataFrame(
        {"Model": MODELS, "Params (B)": [1, 2, 7], "ARC": [25, 30, 50.5], "BBH": 30}
    )
    wide.to_excel(path, index=False)
    with pytest.raises(DataError, match=r"type: upturn fit \S+r.xlsx --wide --percent all \(in"):
        upturn.read(path)
    results = upturn.read(path, wide=True, percent="all", facts="none")
    assert results.frame.query("task == 'ARC'")["score"].tolist() == [0.25, 0.3, 0.505]
    assert results.frame.query("task == 'ARC'")["params"].tolist() == [1e9, 2e9, 7e9]


def test_what_is_no_workbook(tmp_path, monkeypatch):
    path = tmp_path / "r.xlsx"
    path.write_text("task,model,score\n")
    with pytest.raises(DataError, match=r"expected an .xlsx file, but got something else; save"):
        upturn.read(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.xml", b" " * 2_000_000)
    with pytest.raises(DataError, match=r"expected an .xlsx file, but got a broken one; save"):
        upturn.read(path)
    monkeypatch.setattr("upturn.tables.rules.UNPACKED_BYTES", 1_000)
    with pytest.raises(DataError, match=r"expected a table that unpacks to at most"):
        upturn.read(path)
    pd.DataFrame({"model": [], "score": []}).to_excel(path, index=False)
    with pytest.raises(DataError, match=r"expected rows of results, but got none"):
        upturn.read(path)
