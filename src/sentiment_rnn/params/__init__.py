"""params.yaml as typed, validated objects; the only reader of that file.

It is validated as a whole before anything is downloaded or trained.
"""

from sentiment_rnn.params.model import ModelParams, with_values
from sentiment_rnn.params.pretraining import PretrainParams
from sentiment_rnn.params.reading import load
from sentiment_rnn.params.schema import (
    RECIPE,
    AblationParams,
    ClaimsParams,
    DataParams,
    GateParams,
    Params,
    RivalParams,
    TrainerParams,
)
from sentiment_rnn.params.space import Choices, Distribution, FloatRange, IntRange, SearchParams

__all__ = [
    "RECIPE",
    "AblationParams",
    "Choices",
    "ClaimsParams",
    "DataParams",
    "Distribution",
    "FloatRange",
    "GateParams",
    "IntRange",
    "ModelParams",
    "Params",
    "PretrainParams",
    "RivalParams",
    "SearchParams",
    "TrainerParams",
    "load",
    "with_values",
]
