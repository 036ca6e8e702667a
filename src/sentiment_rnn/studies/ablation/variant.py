"""One training of an ablation: the recipe, or the recipe with one thing changed, judged on validation."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from mlflow import MlflowClient

from sentiment_rnn.evaluation.metrics import evaluate, probabilities
from sentiment_rnn.inference.logits import predict_logits
from sentiment_rnn.params import Params, updated
from sentiment_rnn.params.section import merged
from sentiment_rnn.studies.experiment import KEY, CachedExperiment, Context
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import tracking_uri
from sentiment_rnn.training import distillation, pretrained
from sentiment_rnn.training.devices import one_device
from sentiment_rnn.training.logger import RunLogger
from sentiment_rnn.training.train import run_fits

UNCHANGED = "unchanged"


class Variant(CachedExperiment):
    """A training with one seed; its last epoch counts, so validation chooses nothing in it.

    Attributes:
        word_vectors: folder of the stage word_vectors.
        pseudo_labels: folder of the stage pseudo_label.
    """

    headline: ClassVar[str] = "final_validation_loss"

    word_vectors: Path
    pseudo_labels: Path

    def describe(self, context: Context) -> dict[str, Any]:
        """All that decides its figures, but for the data."""
        values = super().describe(context)
        values |= {"word_vectors_sha256": pretrained.digest(self.model, self.word_vectors)}
        return values | {"pseudo_labels_sha256": distillation.digest(self.name, self.model, self.pseudo_labels)}

    def run(self, context: Context) -> str:
        """Train, and score on validation.

        Returns:
            The id of its MLflow run: metrics final_validation_accuracy, final_validation_loss and train_seconds, what
            was learned from teachers included.
        """
        client = MlflowClient(tracking_uri(), tracking_uri())
        run_id = self.start(client, context)
        with runs.running(client, run_id):
            distilled, trained, _ = run_fits(
                f"{self.name}, seed {self.seed}",
                self.model,
                one_device(context.trainer),
                self.seed,
                tokens=context.tokens,
                init_state=pretrained.load(self.model, self.word_vectors, context.tokens),
                pseudo_labels=distillation.load(self.name, self.model, self.pseudo_labels, context.tokens),
                checkpoints=None,
                logger=RunLogger(run_id),
            )
            assert trained is not None, "an experiment is one process"
            metrics = evaluate(
                probabilities(predict_logits(trained.model, trained.data.eval_set)), trained.data.eval_set.labels
            )
            client.log_metric(run_id, "final_validation_accuracy", metrics["accuracy"])
            client.log_metric(run_id, "final_validation_loss", metrics["log_loss"])
            epochs = [*(distilled.history if distilled else []), *trained.history]
            client.log_metric(run_id, "train_seconds", sum(row["epoch_seconds"] for row in epochs))
            # last: Lightning's logger calls the run finished as soon as the training is
            client.set_tag(run_id, KEY, self.key(context))
        return run_id


def plan(params: Params) -> list[Variant]:
    """The recipe and its variants, seed by seed."""
    return [variant for seed in params.ablation.seeds for variant in _of_seed(params, seed)]


def _of_seed(params: Params, seed: int) -> Iterator[Variant]:
    architecture = params.ablation.architecture
    for name, changes in {UNCHANGED: {}, **params.ablation.variants}.items():
        model = updated(params.model_of(architecture), merged(params.ablation.model, changes))
        yield Variant(
            name=name,
            model=updated(model, {"patience": model.max_epochs, "refit": False}),
            seed=seed,
            word_vectors=Path("data/word_vectors"),
            pseudo_labels=Path("data/pseudo_labels", params.with_teachers(model.teachers) or ""),
        )
