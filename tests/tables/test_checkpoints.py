import math

import pytest

from upturn.tables.checkpoints import checkpoint_in


@pytest.mark.parametrize(
    ("name", "run", "step", "tokens"),
    [
        ("allenai/OLMo-1B@step3000-tokens6B", "allenai/OLMo-1B", 3000, 6e9),
        ("OLMo-1B-step3000-tokens6B", "OLMo-1B", 3000, 6e9),
        ("olmo__step27000", "olmo", 27000, math.nan),
        ("/scratch/user/run7/checkpoint-3000", "/scratch/user/run7", 3000, math.nan),
        ("__scratch__user__run7__checkpoint-81000", "__scratch__user__run7", 81000, math.nan),
        ("x@stage1-step5000-tokens21B", "x", 5000, 2.1e10),
        ("x@stage2-ingredient1-step5000-tokens21B", "x@stage2-ingredient1", 5000, math.nan),
        ("pythia-70m@step512", "pythia-70m", 512, math.nan),
        ("pythia-70m@global_step512", "pythia-70m", 512, math.nan),
        ("TinyLlama-1.1B-intermediate-step-1431k-3T", "TinyLlama-1.1B", 1431000, 3e12),
        ("PaLM 540B @182B", "PaLM 540B", math.nan, 1.82e11),
        ("out/iter_0001000", "out", 1000, math.nan),
        ("LLM360/Amber@ckpt_358", "LLM360/Amber", 358, math.nan),
    ],
)
def test_run_step_and_tokens_of_a_checkpoint(
    name: str, run: str, step: float, tokens: float
) -> None:
    found = checkpoint_in(name)
    assert found.run == run
    assert [found.step, found.tokens] == pytest.approx([step, tokens], nan_ok=True)
    assert found.revision


@pytest.mark.parametrize("name", ["gpt-4", "pythia-70m", "checkpoint-300", "step3000", "x@main"])
def test_what_is_no_checkpoint_has_no_revision(name: str) -> None:
    assert checkpoint_in(name).revision == ""


def test_a_size_after_a_step_is_not_taken_for_tokens() -> None:
    assert checkpoint_in("mymodel-step3000-7b").revision == ""


@pytest.mark.parametrize("name", ["", " ", "/", "@", "__", "-", "@step3", "step3@", "模型@step3"])
def test_odd_names_have_a_run(name: str) -> None:
    assert isinstance(checkpoint_in(name).run, str)
