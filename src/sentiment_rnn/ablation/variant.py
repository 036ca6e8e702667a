"""One training of an ablation: the recipe, or the recipe with one thing changed, judged on validation."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from mlflow import MlflowClient

from sentiment_rnn.evaluation.metrics import evaluate, probabilities
from sentiment_rnn.experiments.remembered import KEY, Remembered, Setting
from sentiment_rnn.inference import score
from sentiment_rnn.params import RECIPE, Params, with_values
from sentiment_rnn.pretraining import weights
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import tracking_uri
from sentiment_rnn.training import distillation
from sentiment_rnn.training.devices import one_device
from sentiment_rnn.training.logger import RunLogger
from sentiment_rnn.training.train import Training

UNCHANGED = "the recipe"


class Variant(Remembered):
    """A training with one seed; its last epoch counts, so validation chooses nothing in it.

    Attributes:
        pretrained: folder of the pretrain stage, read where the model is `pretrained`.
        taught: folder of the teach stage, read where the model has teachers.
    """

    headline: ClassVar[str] = "final_validation_loss"

    pretrained: Path
    taught: Path

    def describe(self, setting: Setting) -> dict[str, Any]:
        """All that decides its figures, but for the data."""
        values = super().describe(setting)
        values |= {"pretrained": weights.digest(self.model, self.pretrained)}
        return values | {"taught": distillation.digest(self.model, self.taught)}

    def run(self, setting: Setting) -> str:
        """Train, and score on validation.

        Returns:
            The id of its MLflow run: metrics final_validation_accuracy, final_validation_loss and train_seconds, what
            was learned from teachers included.
        """
        client = MlflowClient(tracking_uri(), tracking_uri())
        run_id = self.start(client, setting)
        with runs.running(client, run_id):
            training = Training(
                name=f"{self.name}, seed {self.seed}",
                model=self.model,
                params=one_device(setting.trainer),
                seed=self.seed,
                tokens=setting.tokens,
                start=weights.load(self.model, self.pretrained, setting.tokens),
                positive=distillation.load(self.taught, setting.tokens) if self.model.teachers else None,
                checkpoints=None,
            )
            taught, done = training.run(RunLogger(run_id))
            assert done is not None, "an experiment is one process"
            metrics = evaluate(probabilities(score.logits(done.model, done.data.scored)), done.data.scored.labels)
            client.log_metric(run_id, "final_validation_accuracy", metrics["accuracy"])
            client.log_metric(run_id, "final_validation_loss", metrics["log_loss"])
            epochs = [*(taught.history if taught else []), *done.history]
            client.log_metric(run_id, "train_seconds", sum(row["epoch_seconds"] for row in epochs))
            # last: Lightning's logger calls the run finished as soon as the training is
            client.set_tag(run_id, KEY, self.key(setting))
        return run_id


def plan(params: Params) -> list[Variant]:
    """The recipe and its variants, seed by seed."""
    return [variant for seed in params.ablation.seeds for variant in _of_seed(params, seed)]


def _of_seed(params: Params, seed: int) -> Iterator[Variant]:
    best = RECIPE[-1]
    for name, changes in {UNCHANGED: {}, **params.ablation.variants}.items():
        model = with_values(params.model_of(best), {**params.ablation.model, **changes})
        yield Variant(
            name=name,
            model=with_values(model, {"patience": model.max_epochs, "refit": False}),
            seed=seed,
            pretrained=Path("data/pretrained", best),
            taught=Path("data/taught", params.taught_like(model) or ""),
        )
