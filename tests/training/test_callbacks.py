"""Durations in the history of a fit."""

import time
from types import SimpleNamespace

import pytest
import torch

from sentiment_rnn.training.callbacks import History


def test_epoch_seconds_include_the_kernels_that_a_gpu_has_not_finished(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: time.sleep(0.2))
    history = History("bilstm", tokens=1000)
    trainer = SimpleNamespace(
        is_last_batch=False, callback_metrics={}, current_epoch=0, max_epochs=1, is_global_zero=False
    )
    history.on_train_epoch_start(trainer, None)
    history.on_train_batch_end(trainer)
    trainer.is_last_batch = True
    history.on_train_batch_end(trainer)
    time.sleep(0.1)  # validation
    history.on_train_epoch_end(trainer, SimpleNamespace(log_dict=lambda *_, **__: None))
    assert history.rows[0]["epoch_seconds"] == pytest.approx(0.2, abs=0.05), "one synchronization, no validation"
