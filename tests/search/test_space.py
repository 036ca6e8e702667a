"""Sampled values are in the space, and a condition decides whether a parameter is sampled."""

import optuna
import pytest
from conftest import shrunk_values
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from sentiment_rnn import params
from sentiment_rnn.search.space import defaults, suggest, used_by

PARAMS = params.Params.model_validate(shrunk_values())
BILSTM, ECHO_STATE = PARAMS.model_of("bilstm"), PARAMS.model_of("echo_state")
SPACE: dict[str, params.Distribution] = {
    "num_layers": params.IntRange(type="int", low=1, high=3),
    "hidden_size": params.IntRange(type="int", low=1, high=64, log=True),
    "learning_rate": params.FloatRange(type="float", low=1e-4, high=1e-1, log=True),
    "lr_schedule": params.Choices(type="choice", choices=["constant", "one_cycle"]),
}
LEAK_RATE = params.FloatRange(type="float", low=0.1, high=1.0)


def samples(
    space: dict[str, params.Distribution], count: int = 60, model: params.ModelParams = BILSTM
) -> list[tuple[dict, optuna.trial.FrozenTrial]]:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=3))
    found = []
    for _ in range(count):
        trial = study.ask()
        values = suggest(trial, space, model)
        study.tell(trial, 0.0)
        found.append((values, study.trials[-1]))
    return found


def test_every_value_is_in_its_range_on_its_scale():
    found = samples(SPACE)
    for values, trial in found:
        assert values == trial.params
        assert values["num_layers"] in (1, 2, 3)
        assert isinstance(values["num_layers"], int)
        assert 1e-4 <= values["learning_rate"] <= 1e-1
        assert values["lr_schedule"] in ("constant", "one_cycle")
    assert found[0][1].distributions == {
        "num_layers": IntDistribution(1, 3),
        "hidden_size": IntDistribution(1, 64, log=True),
        "learning_rate": FloatDistribution(1e-4, 1e-1, log=True),
        "lr_schedule": CategoricalDistribution(("constant", "one_cycle")),
    }
    below = sum(values["learning_rate"] < 10**-2.5 for values, _ in found)
    assert 20 <= below <= 40, "half of them are below the middle of the logarithmic scale"


def test_a_condition_on_a_value_sampled_before():
    space = SPACE | {"dropout": params.FloatRange(type="float", low=0.1, high=0.9, when={"num_layers": [2, 3]})}
    seen = set()
    for values, _ in samples(space):
        assert ("dropout" in values) == (values["num_layers"] > 1)
        seen.add(values["num_layers"])
    assert seen == {1, 2, 3}


@pytest.mark.parametrize(("layers", "included"), [([1], True), ([2, 3], False)])
def test_a_condition_on_a_value_of_the_architecture(layers, included):
    assert BILSTM.num_layers == 1
    space = {"dropout": params.FloatRange(type="float", low=0.1, high=0.9, when={"num_layers": layers})}
    assert all(("dropout" in values) == included for values, _ in samples(space, 5))


def test_the_defaults_are_the_architectures_own_values_within_the_space():
    space = {
        "learning_rate": params.FloatRange(type="float", low=1e-4, high=1e-1),
        "hidden_size": params.Choices(type="choice", choices=[3, 4]),
        "dropout": params.FloatRange(type="float", low=0.1, high=0.9, when={"num_layers": [2]}),
    }
    assert defaults(space, BILSTM) == {"learning_rate": BILSTM.learning_rate}


def test_a_parameter_of_one_cell_is_searched_for_that_cell_alone():
    space = {
        "echo_state.leak_rate": LEAK_RATE,
        "dropout": LEAK_RATE.model_copy(update={"when": {"conv_lstm.window": [16]}}),
    }
    assert used_by(space, BILSTM) == {}
    assert samples(space, 1)[0][0] == {}
    assert defaults(space, ECHO_STATE) == {"echo_state.leak_rate": ECHO_STATE.echo_state.leak_rate}
    values, _ = samples(space, 1, ECHO_STATE)[0]
    assert values.keys() == {"echo_state.leak_rate"}
    assert params.updated(ECHO_STATE, values).echo_state.leak_rate == values["echo_state.leak_rate"]
