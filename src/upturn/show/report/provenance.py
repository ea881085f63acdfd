"""Provenance: the command that makes a report again, its versions, seed and model."""

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING

from upturn.show.report.markup import text

if TYPE_CHECKING:
    from upturn.show.report.contents import Contents

LIBRARIES = ("numpy", "scipy", "numba", "pandas", "xarray", "arviz-stats")


def provenance_of(report: "Contents") -> str:
    """Command, settings, versions and the model's file, as HTML."""
    meta = report.fit.meta
    held = meta.get("versions", {})
    versions = {
        "upturn": meta["version"],
        "Python": platform.python_version(),
        **{name: held.get(name) or version(name) for name in LIBRARIES},
    }
    classification = report.classification
    models = ", ".join(model.name for model in classification.models) if classification else "none"
    facts = {
        "seed": meta["seed"],
        "table": meta["arguments"].get("table") or "given from Python",
        "likelihood": meta["arguments"]["likelihood"],
        "draws": f"{meta['arguments']['draws']:,} of each curve",
        "curve models averaged over": models,
        "versions": ", ".join(f"{name} {number}" for name, number in versions.items()),
    }
    listed = "".join(
        f"<dt>{text(name)}</dt><dd>{text(value)}</dd>" for name, value in facts.items()
    )
    lines = "\n".join(text(line) for line in str(meta["model"]).splitlines())
    return (
        "<p>This command makes the same file again:</p>"
        f"<pre><code>{text(report.command)}</code></pre>"
        f"<dl>{listed}</dl>"
        f"<details><summary>The model, with every prior</summary><pre><code>{lines}</code></pre>"
        "</details><h3>References</h3><ul class='plain'>"
        "<li>What emergence is: Wei et al. 2022, “Emergent Abilities of Large Language Models”, "
        "section 2. arXiv:2206.07682</li>"
        "<li>Intervals of the scores: Wilson 1927, “Probable inference, the law of succession, and "
        "statistical inference”.</li>"
        "<li>k̂: Vehtari, Simpson, Gelman, Yao &amp; Gabry 2024, “Pareto smoothed importance "
        "sampling”. R̂: Vehtari et al. 2021, “Rank-normalization, folding, and localization”.</li>"
        "</ul>"
    )
