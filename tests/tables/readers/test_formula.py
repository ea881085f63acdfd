"""Cells that a spreadsheet would run: protected when written, given back when read."""

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import upturn
from upturn.show.text.formats import to_csv
from upturn.tables.readers.formula import plain, protected
from upturn.tables.shaping.headers import normal
from upturn.tables.shaping.printed import SUMMARIES

DANGEROUS = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1", "-inf", "+nan"]
names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=8)
names = names.filter(lambda name: name.strip() and normal(name) not in SUMMARIES)


@pytest.mark.parametrize("text", DANGEROUS)
def test_what_acts_is_protected(text):
    assert protected(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "a=1", "-1", "+1.5e-3", "-.5", "'tis", "x", "1-2"])
def test_what_does_not_is_left(text):
    assert protected(text) == text


@given(st.text(st.sampled_from("'=+-@\t\r\n1ea＝"), max_size=6))
def test_it_is_given_back(text):
    assert plain(protected(text)) == text
    assert not protected(text).startswith(("=", "@", "\t", "\r", "\n"))


@given(st.lists(names, min_size=1, max_size=4, unique_by=str.strip), st.sampled_from(DANGEROUS))
@settings(max_examples=50)
def test_a_table_that_is_written_reads_the_same(tmp_path_factory, models, column):
    path = tmp_path_factory.mktemp("t") / "t.csv"
    frame = pd.DataFrame({"task": column, "model": models, "score": 0.5, column: "=x"})
    path.write_text(to_csv(frame), newline="")
    read = upturn.read(path).frame
    assert read["model"].tolist() == models
    assert set(read["task"]) == {column}
    assert set(read[column]) == {"=x"}
