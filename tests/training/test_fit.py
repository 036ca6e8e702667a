"""Fits on the synthetic corpus: selected epoch, early stopping, schedule, clipping, EMA, resuming."""

import subprocess

import pytest
import pytorch_lightning as pl
import torch
from conftest import shrunk_values
from killing import KilledError, KillIn

from sentiment_rnn import params
from sentiment_rnn.errors import UserError
from sentiment_rnn.evaluation.metrics import evaluate, probabilities
from sentiment_rnn.inference import logits
from sentiment_rnn.training.fit import FitResult, fit

PARAMS = params.Params.model_validate(shrunk_values())
TRAINER = PARAMS.trainer.model_copy(update={"precision": "32-true"})
BILSTM = PARAMS.model_of("bilstm")


class Recorder(pl.Callback):
    """The learning rate and the gradient norm of each step, before and after clipping."""

    def __init__(self) -> None:
        self.rates: list[float] = []
        self.raw: list[float] = []
        self.clipped: list[float] = []

    @staticmethod
    def norm(module: pl.LightningModule) -> float:
        return float(torch.stack([weight.grad.norm() for weight in module.parameters()]).norm())

    def on_train_batch_start(self, trainer, module, batch, index) -> None:
        self.rates.append(trainer.optimizers[0].param_groups[0]["lr"])

    def on_before_optimizer_step(self, trainer, module, optimizer) -> None:
        self.raw.append(self.norm(module))

    def on_train_batch_end(self, trainer, module, outputs, batch, index) -> None:
        self.clipped.append(self.norm(module))


@pytest.fixture
def train(tokens, tmp_path):
    """Fit with some of bilstm's parameters changed."""

    def run(
        folder: str = "work", *, seed: int = 7, callbacks=(), fraction: float = 1.0, labels=None, **changes
    ) -> FitResult:
        done = fit(
            "bilstm",
            params.updated(BILSTM, changes),
            TRAINER,
            seed,
            tokens=tokens,
            checkpoints=tmp_path / folder,
            logger=False,
            callbacks=callbacks,
            train_fraction=fraction,
            labels=labels,
        )
        assert done is not None
        return done

    return run


def without_times(history: list[dict[str, float]]) -> list[dict[str, float]]:
    """The rows without durations."""
    return [{key: row[key] for key in row if key not in ("epoch_seconds", "tokens_per_second")} for row in history]


def evaluated_loss(done: FitResult) -> float:
    return evaluate(probabilities(logits.predict_logits(done.model, done.data.eval_set)), done.data.eval_set.labels)[
        "log_loss"
    ]


def test_history_has_a_row_with_all_metrics_per_epoch(train):
    done = train(max_epochs=3, patience=3)
    assert [row["epoch"] for row in done.history] == [1, 2, 3]
    for row in done.history:
        assert set(row) == {
            "epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "epoch_seconds",
            "tokens_per_second",
        }  # fmt: skip
    tokens = int(done.data.train.lengths.clip(max=BILSTM.max_length).sum())
    assert done.history[0]["tokens_per_second"] * done.history[0]["epoch_seconds"] == pytest.approx(tokens)


def test_holdout_selects_the_epoch_with_the_lowest_validation_loss(train):
    done = train(learning_rate=0.05, lr_schedule="constant", max_epochs=8, patience=8, dropout=0.0)
    losses = [row["validation_loss"] for row in done.history]
    assert min(losses) < losses[-1] - 0.001, "the best epoch must differ from the last"
    assert evaluated_loss(done) == pytest.approx(min(losses), abs=1e-5)
    assert not done.model.training


def test_keras_reference_uses_the_last_epoch_and_evaluates_on_test(train):
    done = train(learning_rate=0.05, lr_schedule="constant", max_epochs=8, protocol="keras_reference", dropout=0.0)
    losses = [row["test_loss"] for row in done.history]
    assert min(losses) < losses[-1] - 0.001, "the best epoch must differ from the last"
    assert evaluated_loss(done) == pytest.approx(losses[-1], abs=1e-5)
    assert len(done.data.eval_set) == 80
    assert len(losses) == 8, "it never stops early"
    assert not any(key.startswith("validation") for key in done.history[0])


def test_training_stops_after_patience_epochs_without_a_better_loss(train):
    losses = [
        row["validation_loss"]
        for row in train(learning_rate=0.05, lr_schedule="constant", max_epochs=40, patience=2, dropout=0.0).history
    ]
    assert len(losses) < 40
    best = losses.index(min(losses))
    assert len(losses) == best + 1 + 2
    running = [min(losses[: epoch + 1]) for epoch in range(best + 1)]
    assert all(running[epoch + 2] < running[epoch] for epoch in range(best - 1)), "it could not have stopped before"


def test_the_training_loss_falls(train):
    no_dropout = {"dropout": 0.0, "embedding_dropout": 0.0, "word_dropout": 0.0}
    history = train(learning_rate=0.03, max_epochs=20, patience=20, **no_dropout).history
    assert history[-1]["train_loss"] < 0.3 < 0.65 < history[0]["train_loss"]


def test_one_cycle_rises_to_the_learning_rate_and_falls_to_zero(train):
    recorder = Recorder()
    train(callbacks=[recorder], lr_schedule="one_cycle", learning_rate=0.01, max_epochs=4, patience=4)
    rates = recorder.rates
    peak = rates.index(max(rates))
    assert max(rates) == pytest.approx(0.01, rel=0.02)
    assert rates[0] < 0.001
    assert rates[-1] < 0.001
    assert 0 < peak < len(rates) / 2
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)


def test_the_constant_schedule_keeps_the_learning_rate(train):
    recorder = Recorder()
    train(callbacks=[recorder], lr_schedule="constant", learning_rate=0.01)
    assert len(recorder.rates) > 10
    assert set(recorder.rates) == {0.01}


def test_gradients_are_clipped_to_the_norm(train):
    recorder = Recorder()
    train(callbacks=[recorder], gradient_clip=0.01)
    assert max(recorder.raw) > 0.02
    assert max(recorder.clipped) <= 0.01 * (1 + 1e-4)


def test_without_gradient_clip_gradients_are_unchanged(train):
    recorder = Recorder()
    train(callbacks=[recorder], gradient_clip=None)
    assert recorder.clipped == recorder.raw


def test_train_fraction_is_the_fraction_of_the_reviews(train):
    assert len(train(fraction=0.25, max_epochs=1).data.train) == round(
        0.25 * len(train("all", max_epochs=1).data.train)
    )


def test_the_same_seed_gives_the_same_metrics_and_another_does_not(train):
    first, again, other = train("a"), train("b"), train("c", seed=8)
    assert without_times(first.history) == without_times(again.history)
    assert without_times(first.history) != without_times(other.history)


class Averaged(pl.Callback):
    """The running average of the weights after each step, by its definition."""

    def __init__(self, decay: float) -> None:
        self.decay = decay
        self.weights: dict[str, torch.Tensor] = {}

    def on_train_batch_end(self, trainer, module, outputs, batch, index) -> None:
        for name, value in module.model.state_dict().items():
            before = self.weights.get(name, value)
            self.weights[name] = self.decay * before + (1 - self.decay) * value


def test_with_ema_the_model_is_the_running_average_of_its_weights(train):
    averaged = Averaged(0.8)
    done = train(callbacks=[averaged], ema_decay=0.8, learning_rate=0.02, protocol="keras_reference")
    for name, weights in done.model.state_dict().items():
        assert torch.allclose(weights, averaged.weights[name], atol=1e-6), name
    plain = train("plain", learning_rate=0.02, protocol="keras_reference")
    assert not torch.allclose(plain.model.readout.weight, done.model.readout.weight, atol=1e-4)
    assert evaluated_loss(done) == pytest.approx(done.history[-1]["test_loss"], abs=1e-5), "the average is evaluated"


def test_with_ema_and_no_checkpoint_the_model_is_the_average_too(tokens):
    averaged = Averaged(0.8)
    done = fit(
        "bilstm", params.updated(BILSTM, {"ema_decay": 0.8, "learning_rate": 0.02}), TRAINER, 7, tokens=tokens,
        checkpoints=None, logger=False, callbacks=[averaged],
    )  # fmt: skip
    assert done is not None
    for name, weights in done.model.state_dict().items():
        assert torch.allclose(weights, averaged.weights[name], atol=1e-6), name


def test_given_labels_replace_those_of_the_reviews(train):
    no_dropout = {"dropout": 0.0, "embedding_dropout": 0.0, "word_dropout": 0.0}
    changes = {"learning_rate": 0.03, "max_epochs": 20, "protocol": "keras_reference", **no_dropout}
    own = train("own", **changes)
    flipped = train("flipped", labels=1 - own.data.train.labels, **changes)
    found = logits.predict_logits(flipped.model, own.data.train) > 0
    assert (found == (own.data.train.labels == 0)).mean() > 0.95
    with pytest.raises(UserError, match=r"3 labels for the 2\d\d reviews"):
        train("few", labels=own.data.train.labels[:3])


@pytest.mark.parametrize(
    "training",
    [{"protocol": "holdout"}, {"protocol": "keras_reference"}, {"ema_decay": 0.8, "adversarial_epsilon": 0.5}],
)
def test_a_training_killed_in_an_epoch_resumes_with_the_same_results(train, training):
    changes = {"max_epochs": 4, "patience": 4, "learning_rate": 0.01, **training}
    whole = train("whole", **changes)
    with pytest.raises(KilledError):
        train("killed", callbacks=[KillIn(2)], **changes)
    recorder = Recorder()
    resumed = train("killed", callbacks=[recorder], **changes)
    steps_per_epoch = len(resumed.data.train_dataloader())
    assert len(recorder.rates) == 2 * steps_per_epoch, "two epochs were finished, two were left"
    assert without_times(resumed.history) == without_times(whole.history)
    for name, weights in whole.model.state_dict().items():
        assert torch.equal(weights, resumed.model.state_dict()[name]), name


def test_a_training_that_was_moved_resumes_with_its_best_epoch(train, tmp_path):
    changes = {"learning_rate": 0.05, "lr_schedule": "constant", "max_epochs": 8, "patience": 8, "dropout": 0.0}
    with pytest.raises(KilledError):
        train("killed", callbacks=[KillIn(6)], **changes)
    (tmp_path / "killed").rename(tmp_path / "moved")
    resumed = train("moved", **changes)
    losses = [row["validation_loss"] for row in resumed.history]
    assert min(losses) < min(losses[6:]) - 0.001, "the best epoch is one before the move"
    assert evaluated_loss(resumed) == pytest.approx(min(losses), abs=1e-5)
    assert not (tmp_path / "killed").exists()


@pytest.mark.parametrize("name", ["last.ckpt", "best.ckpt"])
def test_a_corrupt_checkpoint_is_an_error_that_names_the_remedy(name, train, tmp_path):
    changes = {"max_epochs": 3, "patience": 3}
    if name == "last.ckpt":
        whole = train("whole", **changes)
        with pytest.raises(KilledError):
            train(callbacks=[KillIn(1)], **changes)
    else:
        whole = train(**changes)  # e.g. killed while the model was written
    checkpoint = tmp_path / "work" / name
    content = checkpoint.read_bytes()
    for corrupt in (b"", b"<html>404</html>", content[: len(content) // 2]):
        checkpoint.write_bytes(corrupt)
        with pytest.raises(UserError, match=f"^{checkpoint} is corrupt") as error:
            train(**changes)
        assert "\n" not in str(error.value)
    subprocess.run(str(error.value).split("`")[1], shell=True, check=True)
    again = train(**changes)
    assert without_times(again.history) == without_times(whole.history)
    assert again.model.readout.weight.equal(whole.model.readout.weight)


def test_a_finished_training_is_not_trained_again(train):
    done = train()
    recorder = Recorder()
    again = train(callbacks=[recorder])
    assert recorder.rates == []
    assert again.history == done.history
    for name, weights in done.model.state_dict().items():
        assert torch.equal(weights, again.model.state_dict()[name])
