"""Drawing a trial's values from the space that params.yaml declares."""

from typing import Any

from optuna.trial import Trial

from sentiment_rnn.params import Choices, Distribution, IntRange, ModelParams


def suggest(trial: Trial, space: dict[str, Distribution], model: ModelParams) -> dict[str, Any]:
    """Draw a value for every parameter of the space, but for those whose condition does not hold.

    Args:
        trial: draws.
        space: in the order of params.yaml; a condition looks at what was drawn above it.
        model: has the values of what is not searched.
    """
    values: dict[str, Any] = {}
    for name, drawn in space.items():
        if not drawn.applies(model.flat() | values):
            continue
        if isinstance(drawn, Choices):
            values[name] = trial.suggest_categorical(name, drawn.choices)
        elif isinstance(drawn, IntRange):
            values[name] = trial.suggest_int(name, drawn.low, drawn.high, log=drawn.log)
        else:
            values[name] = trial.suggest_float(name, drawn.low, drawn.high, log=drawn.log)
    return values


def defaults(space: dict[str, Distribution], model: ModelParams) -> dict[str, Any]:
    """The values that `model` has already, where the space holds them: what a search starts from."""
    own = model.flat()
    return {
        name: own[name]
        for name, drawn in space.items()
        if name in own and drawn.applies(own) and drawn.contains(own[name])
    }
