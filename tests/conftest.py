"""What every test may use: optional dependencies by marker, the shared data by fixture."""

import gc
import os
from importlib.util import find_spec
from pathlib import Path

import hypothesis
import pytest

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"

# PyMC, JAX and Matplotlib leave some 400,000 objects that live as long as the process, which Python
# would look through time and again: loading a saved fit took 0.8 s beside them for 0.5 s.
gc.set_threshold(100_000, 50, 100)

# The first example of a test may compile a kernel or import pandas, and machines are shared.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose optional dependencies are missing; in CI, where all are due, fail it."""
    wanted = [module for marker in item.iter_markers("needs") for module in marker.args]
    missing = [module for module in wanted if find_spec(module.partition(".")[0]) is None]
    if not missing:
        return
    reason = f"needs {', '.join(missing)}, which is not installed"
    if os.environ.get("UPTURN_CI"):
        pytest.fail(f"{reason}, and UPTURN_CI is set", pytrace=False)
    pytest.skip(reason)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder, with a page of 100 columns and no colour."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of published results beside the checkout, or skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the folder of published results, ../shared/data, is not there")
    return SHARED_DATA


@pytest.fixture(scope="session")
def drawn():
    """A small fit for pictures: every kind of curve, two families, three axes, hostile names."""
    import numpy as np
    import pandas as pd

    import upturn

    flops = 10.0 ** np.linspace(20, 24, 9)
    scores = {
        "rises": np.clip(0.25 + 0.25 * (np.log10(flops) - 22), 0.25, 0.75),
        "never": np.full(9, 0.25),
        "<img src=x onerror=alert(1)>": np.clip(0.3 * (np.log10(flops) - 22.5), 0, 1),
        "_$x^$ </script>": np.linspace(0.25, 0.9, 9),
        "bleu": np.linspace(3.0, 40.0, 9),
    }
    rows = []
    for task, curve in scores.items():
        for family in ("ours", "_theirs"):
            for i, score in enumerate(curve):
                counted = task != "bleu"
                rows.append(
                    {
                        "task": task,
                        "metric": "acc" if counted else "bleu",
                        "model": f"{family}-{i}",
                        "family": family,
                        "score": round(float(score) * 200) / 200 if counted else float(score),
                        "trials": 200 if counted else np.nan,
                        "chance": 0.0 if task.startswith("<") else 0.25 if counted else np.nan,
                        "flops": flops[i],
                        "params": flops[i] ** 0.5,
                        "perplexity": 30 * (flops[i] / 1e20) ** -0.2,
                    }
                )
    results = upturn.read(pd.DataFrame(rows), name="pictures.csv")
    axes = ("flops", "params", "perplexity")
    return upturn.fit(results, axis=axes, scatter="none", draws=400, seed=0)
