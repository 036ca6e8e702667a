"""Predictions on the device that there is."""

import numpy as np
import pytest
import torch
from conftest import shrunk_values

from sentiment_rnn import params
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.inference.logits import predict_logits
from sentiment_rnn.models import Classifier


def test_a_model_that_is_on_the_cpu_predicts_on_the_gpu_if_there_is_one(tokens, monkeypatch):
    chosen = params.Params.model_validate(shrunk_values()).model_of("bilstm")
    reviews = TokenizedReviews(tokens, ["test"], Encoding(**chosen.encoding()))
    model = Classifier(**chosen.architecture()).eval()  # on the CPU, where Lightning's Trainer.fit leaves it
    on_cpu = predict_logits(model, reviews, torch.device("cpu"))
    if torch.cuda.is_available():
        np.testing.assert_allclose(predict_logits(model, reviews), on_cpu, atol=1e-3)
        assert next(model.parameters()).device.type == "cpu"
    else:  # the attempt to use one shows that it would be used
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        with pytest.raises((AssertionError, RuntimeError), match=r"CUDA|NVIDIA"):
            predict_logits(model, reviews)
