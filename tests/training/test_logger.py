"""What reaches MLflow when: an epoch's metrics at once, the curve's points in few writes, none lost at the end."""

import pytest
from mlflow import MlflowClient

from sentiment_rnn.training import logger as logger_module
from sentiment_rnn.training.logger import RunLogger


@pytest.fixture
def logger(client: MlflowClient) -> RunLogger:
    return RunLogger(client.create_run("0").info.run_id)


def points(client: MlflowClient, logger: RunLogger, name: str) -> list[tuple[int, float]]:
    return [(point.step, point.value) for point in client.get_metric_history(logger.run_id, name)]


def test_points_of_the_curve_wait_for_the_epochs_metrics(client, logger):
    logger.log_metrics({"train_loss_step": 0.7, "epoch": 0.0}, 19)
    logger.log_metrics({"train_loss_step": 0.6, "epoch": 0.0}, 39)
    assert points(client, logger, "train_loss_step") == []
    logger.log_metrics({"validation_loss": 0.5, "epoch": 0.0}, 40)
    assert points(client, logger, "train_loss_step") == [(19, 0.7), (39, 0.6)]
    assert points(client, logger, "validation_loss") == [(40, 0.5)]


def test_the_curve_is_never_far_behind(client, logger, monkeypatch):
    monkeypatch.setattr(logger_module, "WAIT", 0.0)
    logger.log_metrics({"train_loss_step": 0.7}, 19)
    assert points(client, logger, "train_loss_step") == [(19, 0.7)]


def test_more_points_than_mlflow_takes_at_once_are_written(client, logger):
    for step in range(1100):
        logger.log_metrics({"train_loss_step": 0.5, "epoch": 0.0}, step)
    logger.finalize()
    assert [step for step, _ in points(client, logger, "train_loss_step")] == list(range(1100))


def test_what_waits_is_written_at_the_end(client, logger):
    logger.log_metrics({"train_loss_step": 0.7}, 19)
    logger.finalize("success")
    assert points(client, logger, "train_loss_step") == [(19, 0.7)]
    assert client.get_run(logger.run_id).info.status == "FINISHED"
