"""params.yaml as typed, validated objects; the only reader of that file.

It is validated as a whole before anything is downloaded or trained.
"""

from sentiment_rnn.params.reading import load
from sentiment_rnn.params.schema import (
    Choices,
    ClaimsParams,
    DataParams,
    Distribution,
    FloatRange,
    IntRange,
    ModelParams,
    Params,
    RivalParams,
    SearchParams,
    TrainerParams,
    with_values,
)

__all__ = [
    "Choices",
    "ClaimsParams",
    "DataParams",
    "Distribution",
    "FloatRange",
    "IntRange",
    "ModelParams",
    "Params",
    "RivalParams",
    "SearchParams",
    "TrainerParams",
    "load",
    "with_values",
]
