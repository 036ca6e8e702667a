"""Samples a trial's values from the search space of params.yaml."""

from typing import Any

from optuna.trial import Trial

from sentiment_rnn.params import Choices, Distribution, IntRange, ModelParams


def used_by(space: dict[str, Distribution], model: ModelParams) -> dict[str, Distribution]:
    """The part of the space that makes a difference to a model: its cell and its optimizer use these parameters."""
    own = model.flat()
    return {name: searched for name, searched in space.items() if name in own and searched.when.keys() <= own.keys()}


def suggest(trial: Trial, space: dict[str, Distribution], model: ModelParams) -> dict[str, Any]:
    """Sample a value for each parameter that the model uses and whose condition is met.

    Args:
        trial: samples.
        space: by dotted name, in the order of params.yaml: a condition depends on the values sampled before it.
        model: has the values of what is not searched.
    """
    values: dict[str, Any] = {}
    for name, searched in used_by(space, model).items():
        if not searched.applies(model.flat() | values):
            continue
        if isinstance(searched, Choices):
            values[name] = trial.suggest_categorical(name, searched.choices)
        elif isinstance(searched, IntRange):
            values[name] = trial.suggest_int(name, searched.low, searched.high, log=searched.log)
        else:
            values[name] = trial.suggest_float(name, searched.low, searched.high, log=searched.log)
    return values


def defaults(space: dict[str, Distribution], model: ModelParams) -> dict[str, Any]:
    """The model's own values as far as they are in the space: those of the first trial."""
    own = model.flat()
    return {
        name: own[name]
        for name, searched in used_by(space, model).items()
        if searched.applies(own) and searched.contains(own[name])
    }
