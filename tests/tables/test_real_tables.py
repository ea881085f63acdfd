"""Large and real tables: what they weigh, and what the notes say of them."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from upturn.tables.results import read

FILES = [
    "gpt3", "obsscaling_emergent", "obsscaling_prompting", "olmo_ladder", "pythia", "brier",
]  # fmt: skip


# ---- weight and size -----------------------------------------------------------------------------


def test_importing_results_does_not_import_pandas():
    code = "import sys, upturn.tables.results; print('pandas' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_a_hundred_thousand_rows(tmp_path):
    curves, models = 10_000, 10
    score = np.random.default_rng(0).integers(0, 100, curves * models) / 100
    path = tmp_path / "r.csv"
    pd.DataFrame(
        {
            "task": np.repeat([f"task {i}" for i in range(curves)], models),
            "model": np.tile([f"model {i}" for i in range(models)], curves),
            "score": score,
            "trials": 100,
            "flops": np.tile(10.0 ** np.arange(18, 18 + models), curves),
        }
    ).to_csv(path, index=False)
    packed = read(path).curves()
    assert packed.mask.shape == (curves, models)
    np.testing.assert_array_equal(packed.response.ravel(), np.rint(score * 100))


# ---- real tables ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FILES)
def test_real_tables_are_read_on_all_their_axes(shared_data, name):
    results = read(shared_data / f"{name}.csv")
    raw = pd.read_csv(shared_data / f"{name}.csv")
    assert len(results) == len(raw)
    axes = [axis for axis in ("flops", "params", "perplexity") if axis in raw]
    curves = results.curves(axes)
    assert set(curves.labels["axis"]) == set(axes)
    assert len(set(curves.name)) == len(curves)
    assert np.isfinite(curves.x).all()
    assert np.isfinite(curves.response).all()


def test_what_the_notes_of_real_tables_say(shared_data):
    def notes(name, axis):
        results = read(shared_data / f"{name}.csv", facts="none")
        return results.curves(axis).notes

    assert notes("gpt3", "flops") == (
        "score × trials is no whole number, rounded to the nearest count in 335 rows",
        "metric ppl: lower is better",
    )
    assert notes("obsscaling_emergent", "flops") == (
        "metric bleu_0to100: taken as any number, not as a proportion",
        "2 rows without trials left out of 1 curve whose other rows have them",
        "axis flops: 64 rows without a value left out",
    )
    assert notes("obsscaling_prompting", "params") == (
        "223 rows without trials left out of 21 curves whose other rows have them",
        "5 curves with trials in fewer than half of the rows taken as proportions without trials",
    )
    assert notes("olmo_ladder", ["flops", "params", "perplexity"]) == ()
    assert notes("pythia", ["flops", "perplexity"]) == (
        "axis flops: 208 rows without a value left out",
        "axis perplexity: 962 rows without a value left out",
    )
    assert notes("brier", "flops") == (
        "metric tc_brier_loss: lower is better",
        "axis flops: 120 rows without a value left out",
    )
