"""Buffering: metrics of epochs are written at once, those of steps in few requests, none is lost."""

import pytest
from mlflow import MlflowClient

from sentiment_rnn.training import logger as logger_module
from sentiment_rnn.training.logger import RunLogger


@pytest.fixture
def logger(client: MlflowClient) -> RunLogger:
    return RunLogger(client.create_run("0").info.run_id)


def values(client: MlflowClient, logger: RunLogger, name: str) -> list[tuple[int, float]]:
    return [(metric.step, metric.value) for metric in client.get_metric_history(logger.run_id, name)]


def test_metrics_of_steps_are_written_with_those_of_the_epoch(client, logger):
    logger.log_metrics({"train_loss_step": 0.7, "epoch": 0.0}, 19)
    logger.log_metrics({"train_loss_step": 0.6, "epoch": 0.0}, 39)
    assert values(client, logger, "train_loss_step") == []
    logger.log_metrics({"validation_loss": 0.5, "epoch": 0.0}, 40)
    assert values(client, logger, "train_loss_step") == [(19, 0.7), (39, 0.6)]
    assert values(client, logger, "validation_loss") == [(40, 0.5)]


def test_metrics_of_steps_are_written_after_the_delay(client, logger, monkeypatch):
    monkeypatch.setattr(logger_module, "MAX_DELAY", 0.0)
    logger.log_metrics({"train_loss_step": 0.7}, 19)
    assert values(client, logger, "train_loss_step") == [(19, 0.7)]


def test_more_metrics_than_mlflow_accepts_in_a_request(client, logger):
    for step in range(1100):
        logger.log_metrics({"train_loss_step": 0.5, "epoch": 0.0}, step)
    logger.finalize()
    assert [step for step, _ in values(client, logger, "train_loss_step")] == list(range(1100))


def test_the_buffer_is_written_at_the_end(client, logger):
    logger.log_metrics({"train_loss_step": 0.7}, 19)
    logger.finalize("success")
    assert values(client, logger, "train_loss_step") == [(19, 0.7)]
    assert client.get_run(logger.run_id).info.status == "FINISHED"
