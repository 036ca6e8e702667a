"""One training of an ablation: the unchanged model, or the model with one change, evaluated on validation."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from mlflow import MlflowClient
from pydantic import Field

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.evaluation.behaviour import failures
from sentiment_rnn.evaluation.metrics import evaluate, probabilities
from sentiment_rnn.inference import serialization
from sentiment_rnn.inference.logits import predict_logits
from sentiment_rnn.inference.predictor import Predictor
from sentiment_rnn.params import Params, updated
from sentiment_rnn.params.section import merged
from sentiment_rnn.studies.experiment import KEY, CachedExperiment, Context
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import tracking_uri
from sentiment_rnn.training import distillation, pretrained
from sentiment_rnn.training.fit import FitResult
from sentiment_rnn.training.logger import RunLogger
from sentiment_rnn.training.train import run_fits

UNCHANGED = "unchanged"
FAILURE_RATE = "behaviour_failure_rate_"  # and a kind of case


class Variant(CachedExperiment):
    """A training with one seed; the metrics are those of its last epoch, so validation selects nothing.

    Attributes:
        word_vectors: folder of the stage word_vectors.
        pseudo_labels: folder of the stage pseudo_label.
    """

    headline: ClassVar[str] = "final_validation_loss"

    # not inputs: the hashes of their files are
    word_vectors: Path = Field(exclude=True)
    pseudo_labels: Path = Field(exclude=True)

    def inputs(self, context: Context) -> dict[str, Any]:
        """All that decides its metrics, except the data."""
        return super().inputs(context) | {
            "word_vectors_sha256": pretrained.digest(self.model, self.word_vectors),
            "pseudo_labels_sha256": distillation.digest(self.pseudo_labels.name, self.model, self.pseudo_labels),
        }

    def run(self, context: Context) -> str:
        """Train, and evaluate on validation.

        Returns:
            The id of its MLflow run: metrics final_validation_accuracy, final_validation_loss, train_seconds (with
            distillation), and the failure rate on each kind of case of the behaviour suite.
        """
        client = MlflowClient(tracking_uri(), tracking_uri())
        run_id = self.start(client, context)
        with runs.running(client, run_id):
            labels = distillation.load(self.pseudo_labels.name, self.model, self.pseudo_labels, context.tokens)
            fits = run_fits(
                f"{self.name}, seed {self.seed}",
                self.model,
                context.trainer,
                self.seed,
                tokens=context.tokens,
                init_state=pretrained.load(self.model, self.word_vectors, context.tokens),
                pseudo_labels=labels,
                checkpoints=None,
                logger=RunLogger(run_id),
            )
            result = fits.trained
            assert result is not None, "an experiment is one process"
            eval_set = result.data.eval_set
            metrics = evaluate(probabilities(predict_logits(result.model, eval_set)), eval_set.labels)
            client.log_metric(run_id, "final_validation_accuracy", metrics["accuracy"])
            client.log_metric(run_id, "final_validation_loss", metrics["log_loss"])
            epochs = [*(fits.distilled.history if fits.distilled else []), *result.history]
            client.log_metric(run_id, "train_seconds", sum(row["epoch_seconds"] for row in epochs))
            for kind in self._failures(result, context):
                client.log_metric(run_id, FAILURE_RATE + kind["kind"].replace(" ", "_"), kind["failure_rate"])
            # last, since Lightning's logger ends the run as soon as the training has ended
            client.set_tag(run_id, KEY, self.key(context))
        return run_id

    def _failures(self, result: FitResult, context: Context) -> list[dict[str, Any]]:
        """The kinds of cases of the behaviour suite, with failure rates."""
        with TemporaryDirectory() as folder:
            encoding = Encoding(**self.model.encoding())
            serialization.save(result.model, self.model.architecture(), encoding, Path(folder))
            predictor = Predictor(folder, context.tokens / "tokenizer.json")
            kinds: list[dict[str, Any]] = failures.run(predictor.predict_probabilities)["kinds"]
        return kinds


def plan(params: Params) -> list[Variant]:
    """The unchanged model and its variants, seed by seed."""
    return [variant for seed in params.ablation.seeds for variant in _variants(params, seed)]


def _variants(params: Params, seed: int) -> Iterator[Variant]:
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
