"""Recurrent classifiers in plain torch: nothing here knows of Lightning, MLflow or a file."""

from sentiment_rnn.models.classifier import Classifier
from sentiment_rnn.models.encoders import ENCODERS

__all__ = ["ENCODERS", "Classifier"]
