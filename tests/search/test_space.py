"""What is drawn stays in the space, and a condition decides whether it is drawn at all."""

import optuna
import pytest
from conftest import shrunk_values
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from sentiment_rnn import params
from sentiment_rnn.search.space import defaults, suggest

BILSTM = params.Params.model_validate(shrunk_values()).model_of("bilstm")
SPACE: dict[str, params.Distribution] = {
    "num_layers": params.IntRange(type="int", low=1, high=3),
    "pooling_size": params.IntRange(type="int", low=1, high=64, log=True),
    "learning_rate": params.FloatRange(type="float", low=1e-4, high=1e-1, log=True),
    "schedule": params.Choices(type="choice", choices=["constant", "one_cycle"]),
}


def draws(space: dict[str, params.Distribution], count: int = 60) -> list[tuple[dict, optuna.trial.FrozenTrial]]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=3))
    drawn = []
    for _ in range(count):
        trial = study.ask()
        drawn.append((suggest(trial, space, BILSTM), trial._get_latest_trial()))
    return drawn


def test_every_value_is_in_its_range_and_drawn_on_its_scale():
    drawn = draws(SPACE)
    for values, trial in drawn:
        assert values == trial.params
        assert values["num_layers"] in (1, 2, 3)
        assert isinstance(values["num_layers"], int)
        assert 1e-4 <= values["learning_rate"] <= 1e-1
        assert values["schedule"] in ("constant", "one_cycle")
    assert drawn[0][1].distributions == {
        "num_layers": IntDistribution(1, 3),
        "pooling_size": IntDistribution(1, 64, log=True),
        "learning_rate": FloatDistribution(1e-4, 1e-1, log=True),
        "schedule": CategoricalDistribution(("constant", "one_cycle")),
    }
    below = sum(values["learning_rate"] < 10**-2.5 for values, _ in drawn)
    assert 20 <= below <= 40, "half of the draws are below the middle of the logarithmic scale"


def test_a_condition_on_what_was_drawn_above():
    space = SPACE | {"dropout": params.FloatRange(type="float", low=0.1, high=0.9, when={"num_layers": [2, 3]})}
    seen = set()
    for values, _ in draws(space):
        assert ("dropout" in values) == (values["num_layers"] > 1)
        seen.add(values["num_layers"])
    assert seen == {1, 2, 3}


@pytest.mark.parametrize(("layers", "drawn"), [([1], True), ([2, 3], False)])
def test_a_condition_on_what_the_architecture_is(layers, drawn):
    assert BILSTM.num_layers == 1
    space = {"dropout": params.FloatRange(type="float", low=0.1, high=0.9, when={"num_layers": layers})}
    assert all(("dropout" in values) == drawn for values, _ in draws(space, 5))


def test_the_defaults_are_the_architectures_own_where_the_space_holds_them():
    space = {
        "learning_rate": params.FloatRange(type="float", low=1e-4, high=1e-1),
        "hidden_size": params.Choices(type="choice", choices=[3, 4]),
        "dropout": params.FloatRange(type="float", low=0.1, high=0.9, when={"num_layers": [2]}),
    }
    assert defaults(space, BILSTM) == {"learning_rate": BILSTM.learning_rate}
