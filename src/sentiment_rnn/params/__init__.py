"""params.yaml as typed, immutable objects, validated as a whole before anything is downloaded or trained."""

from sentiment_rnn.params.model import ModelParams
from sentiment_rnn.params.reading import load
from sentiment_rnn.params.schema import (
    BASELINES,
    AblationParams,
    BaselineParams,
    ClaimsParams,
    GateParams,
    HubDataset,
    Params,
    SyntheticDataset,
    TrainerParams,
    WordVectorsParams,
)
from sentiment_rnn.params.section import updated
from sentiment_rnn.params.space import Choices, Distribution, FloatRange, IntRange, SearchParams

__all__ = [
    "BASELINES",
    "AblationParams",
    "BaselineParams",
    "Choices",
    "ClaimsParams",
    "Distribution",
    "FloatRange",
    "GateParams",
    "HubDataset",
    "IntRange",
    "ModelParams",
    "Params",
    "SearchParams",
    "SyntheticDataset",
    "TrainerParams",
    "WordVectorsParams",
    "load",
    "updated",
]
