"""Every picture in these pages: `python docs/pictures.py`, which `make docs` runs.

The fits are of bundled data, a few tasks each, so that this takes seconds.
"""

from pathlib import Path

import upturn
from upturn.show import plots

FOLDER = Path(__file__).parent / "generated"
CHANGED = ("webqs", "arithmetic_2da", "arithmetic_4da", "cycled_letters", "piqa", "anli_r1")
TASKS = ("arithmetic_3da", "hellaswag", "wic")


def main():
    """Write them into docs/generated."""
    FOLDER.mkdir(exist_ok=True)
    few = upturn.read("gpt3").where("setting=few-shot", *(f"task={name}" for name in TASKS))
    fit = upturn.fit(few, axis=("flops", "params", "perplexity"), metric="acc", draws=2000)
    drawn = {
        "grid": plots.plot_grid(fit, axis="flops"),
        "axes": plots.plot_axes(fit, "arithmetic_3da"),
        "forest": plots.plot_forest(fit, axis="flops", points={"arithmetic_3da": 2.3e22}).figure,
        "shapes": plots.plot_shapes(upturn.classify(few, metric="acc", draws=400)).figure,
    }
    many = upturn.read("open-models").where("task=word_unscrambling")
    drawn["curve"] = plots.plot_curve(upturn.fit(many, draws=2000)).figure
    checked = upturn.calibrate(few, model="step", axis="params", simulations=100, draws=200)
    drawn["calibration"] = plots.plot_calibration(checked)
    zero, few = (upturn.read("gpt3").where(f"setting={name}", *(f"task={t}" for t in CHANGED))
                 for name in ("zero-shot", "few-shot"))  # fmt: skip
    changed = upturn.diff(zero, few, metric="acc", models=["chance", "hinge", "gompertz"])
    drawn["diff"] = plots.plot_diff(changed).figure
    low = upturn.read("pythia").where("task=mmlu", "shots=0")
    drawn["check"] = plots.plot_check(upturn.check(low, metric="acc", draws=400)).figure
    for name, figure in drawn.items():
        plots.save(figure, FOLDER / f"{name}.svg")


if __name__ == "__main__":
    main()
