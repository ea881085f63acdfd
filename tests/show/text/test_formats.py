import csv
import io
import json

import numpy as np
import pandas as pd
import pytest

from upturn.show.text.formats import escape_markdown, to_csv, to_json, to_markdown


def test_json_has_null_for_what_is_no_number():
    frame = pd.DataFrame({"curve": ["a"], "scale": [np.inf], "low": [np.nan], "n": [3]})
    text = to_json(frame, totals={"curves": np.int64(1)}, meta={"seed": 0}, notes=("x", "y"))
    assert json.loads(text) == {
        "curves": [{"curve": "a", "scale": None, "low": None, "n": 3}],
        "totals": {"curves": 1},
        "meta": {"seed": 0},
        "notes": ["x", "y"],
    }


def test_json_keeps_every_name():
    name = 'a "b", c\nd 🚀 <script>\u2028'
    (record,) = json.loads(to_json(pd.DataFrame({"task": [name]})))["curves"]
    assert record == {"task": name}


def test_json_writes_arrays_and_infinities_inside_other_parts():
    text = to_json(pd.DataFrame({"a": []}), meta={"limits": np.array([1.0, np.inf])})
    assert json.loads(text) == {"curves": [], "meta": {"limits": [1.0, None]}}


@pytest.mark.parametrize("name", ["=1+1", "+1 cmd", "-x", "@SUM(A1)", "\tx", "\rx"])
def test_csv_text_is_no_formula(name):
    assert to_csv(pd.DataFrame({"task": [name]})).splitlines()[1].lstrip('"').startswith("'")


def test_csv_text_that_is_a_number_stays():
    assert to_csv(pd.DataFrame({"scale": ["-1.5"], "gain": [-0.25]})) == "scale,gain\n-1.5,-0.25\n"


def test_csv_of_awkward_names_and_values():
    name = 'a, "b"\nc'
    frame = pd.DataFrame({"task": [name], "x": [np.nan], "y": [np.inf], "z": [True]})
    assert list(csv.reader(io.StringIO(to_csv(frame)))) == [
        ["task", "x", "y", "z"],
        [name, "", "inf", "True"],
    ]


def test_markdown_table():
    text = to_markdown(["task", "gain"], [["a|b", "+0.1"], ["c\nd", ""]], numbers=[1])
    assert text == "| task | gain |\n| --- | ---: |\n| a\\|b | +0.1 |\n| c\\\\nd |  |\n"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("two_digit_addition", "two_digit_addition"),
        ("_emphasis_", r"\_emphasis\_"),
        ("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"),
        ("< 0.01", "< 0.01"),
        ("&lt;", "&amp;lt;"),
        ("[x](y) `z` *w* ~~v~~", r"\[x\](y) \`z\` \*w\* \~\~v\~\~"),
        ("a\\", "a\\\\"),
    ],
)
def test_markdown_is_escaped(text, escaped):
    assert escape_markdown(text) == escaped
