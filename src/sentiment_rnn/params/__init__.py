"""params.yaml as typed, immutable objects, validated as a whole before anything is downloaded or trained."""

from sentiment_rnn.params.claims import ClaimsParams
from sentiment_rnn.params.datasets import FilesDataset, HubDataset, SyntheticDataset, TextDataset
from sentiment_rnn.params.model import ModelParams
from sentiment_rnn.params.reading import load
from sentiment_rnn.params.schema import (
    BASELINES,
    AblationParams,
    BaselineParams,
    DataParams,
    GateParams,
    Params,
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
    "DataParams",
    "Distribution",
    "FilesDataset",
    "FloatRange",
    "GateParams",
    "HubDataset",
    "IntRange",
    "ModelParams",
    "Params",
    "SearchParams",
    "SyntheticDataset",
    "TextDataset",
    "TrainerParams",
    "WordVectorsParams",
    "load",
    "updated",
]
