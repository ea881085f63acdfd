import csv
import itertools
import math
from pathlib import Path

import pytest

from upturn.tables.facts.models import known_models
from upturn.tables.facts.names import canonical, nearest_names, params_in

with Path(__file__).with_name("pairs.csv").open(encoding="utf-8") as lines:
    PAIRS = [tuple(row.values()) for row in csv.DictReader(lines)]


def test_there_are_a_few_hundred_pairs_of_each_kind() -> None:
    answers = [same for *_, same in PAIRS]
    assert answers.count("yes") > 200
    assert answers.count("no") > 200


@pytest.mark.parametrize(("one", "other", "same"), PAIRS)
def test_spellings_of_one_model_join_and_two_models_do_not(one: str, other: str, same: str) -> None:
    assert (canonical(one) == canonical(other)) is (same == "yes")


def test_no_bundled_model_has_the_form_of_another() -> None:
    models = list({id(facts): facts for facts in known_models().values()}.values())
    assert len({canonical(facts.model) for facts in models}) == len(models) >= 600


def test_a_model_of_one_pair_joins_no_model_of_another_pair() -> None:
    first = list(dict.fromkeys(one for one, _, same in PAIRS if same == "yes"))
    for one, other in itertools.combinations(first, 2):
        assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    "name", ["", " ", "/", "+", "//", "@", "__", "-", "7b", "\u00e9", "模型-7B"]
)
def test_odd_names_have_a_form(name: str) -> None:
    assert isinstance(canonical(name), str)
    assert isinstance(params_in(name), float)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("EleutherAI/pythia-1.4b", 1.4e9),
        ("bloom-7b1", 7.1e9),
        ("rwkv-4-1b5-pile", 1.5e9),
        ("SmolLM-135M", 1.35e8),
        ("Qwen3-30B-A3B", 3e10),
        ("stablelm-2-1_6b", 1.6e9),
        ("allenai/OLMo-1B@step3000-tokens6B", 1e9),
        ("Llama-2-7b-32K", 7e9),
        ("my-model-0.5b-instruct", 5e8),
    ],
)
def test_the_size_is_read_from_the_name(name: str, params: float) -> None:
    assert params_in(name) == pytest.approx(params)


@pytest.mark.parametrize(
    "name", ["gpt-4", "m1", "Mixtral-8x7B", "phi-2", "llama-7b-vs-13b", "step3000", "run7"]
)
def test_a_size_that_the_name_does_not_state_is_not_read(name: str) -> None:
    assert math.isnan(params_in(name))


def test_near_names_have_the_size_first() -> None:
    names = ["pythia-14m", "pythia-1.4b", "pythia-12b", "opt-125m"]
    assert nearest_names("pythya-1.4b", names)[0] == "pythia-1.4b"
    assert nearest_names("zzz", names) == []
