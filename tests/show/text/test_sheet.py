from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from upturn.show.text import fits
from upturn.show.text.fits import records, sheet_of
from upturn.show.text.sheet import to_document
from upturn.show.text.terminal import print_sheet
from upturn.tables.axis import Axis

RISE = [0.0, 0.02, 0.01, 0.3, 0.9]
FLAT = [0.25, 0.26, 0.24, 0.25, 0.25]


def printed(fit, capsys, ci=0.9):
    print_sheet(sheet_of(fit, ci))
    return capsys.readouterr().out


def test_the_table(make_fit, capsys):
    fit = make_fit(
        {"addition": RISE, "riddles": FLAT},
        trials=100,
        numbers={
            "p_change": [0.999, 0.05],
            "gain": [0.89, -0.001],
            "flags": ["", "khat; 2 scales"],
        },
        words={"scale": ["1.1e23", "> 1.0e25"], "interval": ["8.0e22 – 2.0e23", "> 1.0e25"]},
    )
    assert printed(fit, capsys) == (
        "2 curves, 10 points · model hinge · beta-binomial\n"
        "\n"
        "training FLOPs, 1.0e21 to 1.0e25\n"
        "task      score       verdict  p(change)     scale  90 % interval     gain  flags\n"
        "addition  ▁·▁··▁·▃·█  emerges     > 0.99    1.1e23  8.0e22 – 2.0e23  +0.89\n"
        "riddles   ▃·▃··▂·▃·▃  emerges       0.05  > 1.0e25  > 1.0e25          0.00  khat; "
        "2 scales\n"
    )


def test_one_block_an_axis(make_fit, capsys):
    text = printed(make_fit({"addition": RISE}, axes=("flops", "params")), capsys)
    assert "\n\ntraining FLOPs, 1.0e21 to 1.0e25\ntask " in text
    assert "\n\nparameters, 100M to 1T\ntask " in text
    assert text.count("addition") == 2


def test_labels_that_tell_curves_apart_are_columns(make_fit):
    fit = make_fit({"a": RISE}, metric="acc", setting=["x", "x", "x", "y", "y"], shots=0)
    (block,) = sheet_of(fit, 0.9).blocks
    assert [column.header for column in block.columns[:3]] == ["task", "setting", "score"]


def test_labels_that_say_no_more_than_others_are_left_out(make_fit):
    fit = make_fit({"a": RISE}, setting=["x", "x", "x", "y", "y"], shots=[0, 0, 0, 5, 5])
    (block,) = sheet_of(fit, 0.9).blocks
    assert [column.header for column in block.columns[:3]] == ["task", "setting", "score"]


def test_the_longest_labels_are_cut_first(make_fit, capsys):
    setting = [f"{'long ' * 20}{end}" for end in "xxxyy"]
    text = printed(make_fit({"addition": RISE}, setting=setting), capsys)
    assert max(map(len, text.splitlines())) == 100
    assert text.count("\naddition  long long") == 2


def test_an_axis_of_one_scale(make_fit):
    (block,) = sheet_of(make_fit({"a": [0.5]}), 0.9).blocks
    assert block.title == "training FLOPs, 1.0e21"


def test_no_column_for_flags_where_there_are_none(make_fit):
    (block,) = sheet_of(make_fit({"a": RISE}), 0.9).blocks
    assert block.columns[-1].header == "gain"


def test_the_interval_is_named_by_its_probability(make_fit):
    sheet = sheet_of(make_fit({"a": RISE}), 0.5)
    assert "50 % interval" in [column.header for column in sheet.blocks[0].columns]
    assert any("50 % interval" in line for line in sheet.legend)


def test_the_axis_of_a_mix(make_fit):
    (block,) = sheet_of(make_fit({"a": RISE}, axes=("mix:flops,params",)), 0.9).blocks
    assert block.title == "mix of training FLOPs, parameters"


@pytest.mark.parametrize(
    ("families", "counts"), [("ffggh" * 2, ""), ("ffggh" + "fffff", " in 1 of them")]
)
def test_the_heading_counts_curves_with_scatter(families, counts, make_fit):
    fit = make_fit({"a": RISE, "b": FLAT}, family=list("fffff"))
    group = np.array([["fgh".index(f) for f in families[i : i + 5]] for i in (0, 5)])
    group[group.max(axis=1) == 0] = -1
    fit.curves = replace(fit.curves, group=group.astype(np.int32))
    assert sheet_of(fit, 0.9).heading == (
        f"2 curves, 10 points · model hinge · beta · scatter between groups{counts}",
    )


def test_long_names_are_cut_in_the_table_alone(make_fit, capsys):
    name = (
        "a_task_with_a_name_that_is_longer_than_anybody_would_like_it_to_be_in_a_table_of_results"
    )
    fit = make_fit({name: RISE})
    text = printed(fit, capsys)
    assert name not in text
    assert "a_task_with_a_name…" in text
    assert max(map(len, text.splitlines())) == 100
    assert records(fit, 0.9)["task"].tolist() == [name]
    assert name in to_document(sheet_of(fit, 0.9))


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_keeps_to_the_page(width, make_fit, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(width))
    text = printed(make_fit({"a" * 200: RISE}), capsys)
    assert max(map(len, text.splitlines())) == width


def test_no_number_is_cut_short_where_the_page_is_narrow(make_fit, capsys, monkeypatch):
    fit = make_fit({"a" * 30: RISE}, numbers={"flags": "one two three"})
    monkeypatch.setenv("COLUMNS", "30")
    *_, row, rest, last = printed(fit, capsys).splitlines()
    assert row == "aaaaa…aaaa  ▁·▁··▁·▃·█  emerges       0.98  2.1e22  1.2e22 – 4.0e22  +0.72  one"
    assert [rest.strip(), last.strip()] == ["two", "three"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("[bold red]x[/]", "[bold red]x[/]"),
        (":rocket: 🚀", ":rocket: 🚀"),
        ("two\nlines", r"two\nlines"),
        ("\x1b[2Jx", r"\x1b[2Jx"),
        ("<script>", "<script>"),
        ('a,"b"', 'a,"b"'),
        ("日本語", "日本語"),
    ],
)
def test_names_give_no_orders(name, shown, make_fit, capsys):
    text = printed(make_fit({name: RISE}), capsys)
    assert text.splitlines()[4].startswith(f"{shown}  ")
    assert "\x1b" not in text


def test_colour_on_a_terminal_only(make_fit, capsys, monkeypatch):
    fit = make_fit({"a": RISE}, chance=0.25)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in printed(fit, capsys)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in printed(fit, capsys)


def test_records_say_in_words_what_json_has_no_number_for(make_fit):
    fit = make_fit({"a": RISE}, numbers={"scale": np.inf}, words={"scale": "> 1.0e25"})
    frame = records(fit, 0.9)
    assert list(frame.columns[:2]) == ["curve", "task"]
    assert list(frame.columns[-3:]) == ["scale_text", "interval_text", "changepoint_text"]
    assert frame.loc["a", "scale_text"] == "> 1.0e25"


def test_markdown(make_fit):
    fit = make_fit({"a|b": RISE}, trials=10)
    assert to_document(sheet_of(fit, 0.9)) == (
        "1 curve, 5 points · model hinge · beta-binomial\n"
        "\n"
        "**training FLOPs, 1.0e21 to 1.0e25**\n"
        "\n"
        "| task | score | verdict | p(change) | scale | 90 % interval | gain |\n"
        "| --- | --- | --- | ---: | ---: | --- | ---: |\n"
        "| a\\|b | ▁·▁··▁·▃·█ | emerges | 0.98 | 2.1e22 | 1.2e22 – 4.0e22 | +0.72 |\n"
    )


def test_signs_are_explained_only_where_they_are_shown():
    rows = pd.DataFrame({"scale_text": ["1.5e22"], "interval_text": ["1.1e22 – 2.0e22"]})
    flops, perplexity = Axis.parse("flops"), Axis.parse("perplexity")
    assert "not yet" not in "".join(fits._legend(rows, [flops], 0.9))
    beyond = rows.assign(interval_text="1.1e22 – > 3.1e23")
    assert "> not yet at the largest model" in "".join(fits._legend(beyond, [flops], 0.9))
    legend = "".join(fits._legend(beyond, [perplexity], 0.9))
    assert "perplexity: < not yet at the best model" in legend
    assert "> not yet at the largest" not in legend
    assert "perplexity falls along its axis: intervals begin at the higher end" in legend
