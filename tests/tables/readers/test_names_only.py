"""Folders that name models and nothing else about them: the bundled facts give the axes."""

import json

import pytest
from click.testing import CliRunner

from upturn import cli

MODELS = [
    "EleutherAI/pythia-70m", "EleutherAI/pythia-160m", "EleutherAI/pythia-410m",
    "EleutherAI/pythia-1b", "EleutherAI/pythia-1.4b", "EleutherAI/pythia-2.8b",
    "EleutherAI/pythia-6.9b", "EleutherAI/pythia-12b", "meta-llama/Llama-2-7b-hf",
    "meta-llama/Llama-2-13b-hf",
]  # fmt: skip
SCORES = [0.25, 0.26, 0.24, 0.25, 0.27, 0.3, 0.42, 0.55, 0.45, 0.6]


def of_lm_eval(model, score):
    return {
        "results": {"arc_challenge": {"acc,none": score, "acc_stderr,none": 0.0127}},
        "configs": {"arc_challenge": {"num_fewshot": 25}},
        "config": {"model": "hf", "model_args": f"pretrained={model},dtype=bfloat16"},
        "n-samples": {"arc_challenge": {"original": 1172, "effective": 1172}},
    }


def of_lighteval(model, score):
    return {
        "config_general": {"model_name": model},
        "results": {"leaderboard|arc:challenge|25": {"acc": score, "acc_stderr": 0.0127}},
    }


@pytest.mark.parametrize("written", [of_lm_eval, of_lighteval])
def test_an_answer_on_two_axes_in_one_command(written, tmp_path):
    for model, score in zip(MODELS, SCORES, strict=True):
        path = tmp_path / "results" / model.replace("/", "__") / "results_2024-01-01.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(written(model, score)))
    options = ["--axis", "params", "--axis", "flops", "--draws", "200", "--format", "json"]
    result = CliRunner().invoke(cli.main, ["fit", str(tmp_path / "results"), *options])
    assert result.exit_code == 0, result.output
    curves = {curve["axis"]: curve for curve in json.loads(result.stdout)["curves"]}
    assert [curves[axis]["points"] for axis in ("params", "flops")] == [10, 10]
    assert 1.4e9 < curves["params"]["scale"] < 13e9
    assert 2e21 < curves["flops"]["scale"] < 2e23
    assert "chance unknown" not in str(curves["params"]["flags"])
