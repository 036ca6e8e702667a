"""Recurrent classifiers in plain torch, independent of Lightning, MLflow and files."""

from sentiment_rnn.models.classifier import Classifier
from sentiment_rnn.models.encoders import ENCODERS

__all__ = ["ENCODERS", "Classifier"]
