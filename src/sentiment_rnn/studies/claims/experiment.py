"""One training that claims rest on."""

from pathlib import Path
from typing import NamedTuple

from filelock import FileLock
from mlflow import MlflowClient
from mlflow.entities import Metric
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.tokenized import TokenizedReviews
from sentiment_rnn.evaluation.metrics import evaluate, probabilities
from sentiment_rnn.inference.logits import predict_logits
from sentiment_rnn.studies.claims import long_range
from sentiment_rnn.studies.claims.gradients import norms_by_age
from sentiment_rnn.studies.experiment import KEY, CachedExperiment, Context
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import tracking_uri
from sentiment_rnn.training.devices import one_device
from sentiment_rnn.training.fit import fit
from sentiment_rnn.training.language_model import pretrain
from sentiment_rnn.training.logger import RunLogger

LANGUAGE_MODEL = "claims.language_model"  # tag: the run of the language model that the weights come from
EMBEDDING = "embedding.weight"  # the same in all, and most of a model's weights


class Experiment(CachedExperiment):
    """A training with one seed, scored on test once, after its last epoch: nothing is chosen by it.

    Attributes:
        reviews: labelled ones that it sees; None: all of train.
        dependency_length: None, or the sample's long-range dial takes the place of the reviews at hand.
        pretraining: unlabelled reviews that its weights have read as a language model.
        gradients: steps back over which the gradient is measured; 0: it is not.
    """

    reviews: int | None = None
    dependency_length: int | None = None
    pretraining: int = 0
    gradients: int = 0

    def tokens(self, context: Context) -> Path:
        """The folder of what it reads."""
        if self.dependency_length is None:
            return context.tokens
        return long_range.tokenize(context.work, self.dependency_length, self.reviews or 0)

    def run(self, context: Context) -> str:
        """Train, and score on test.

        Returns:
            The id of its MLflow run: metrics test_accuracy, test_loss, final_validation_accuracy, weights (without the
            embedding), train_seconds, and gradient_norm, whose step is the token's age.
        """
        client = MlflowClient(tracking_uri(), tracking_uri())
        tokens = self.tokens(context)
        encoding = Encoding(**self.model.encoding())
        language = _pretrained(client, self, context) if self.pretraining else None
        run_id = self.start(client, context)
        with runs.running(client, run_id):
            if language:
                client.set_tag(run_id, LANGUAGE_MODEL, language.run_id)
            read = len(TokenizedReviews(tokens, ["train"], encoding))
            finished = fit(
                f"{self.name}, seed {self.seed}",
                self.model,
                one_device(context.trainer),
                self.seed,
                tokens=tokens,
                checkpoints=None,
                logger=RunLogger(run_id),
                train_fraction=1.0 if self.reviews is None else min(1.0, self.reviews / read),
                init_state=language.weights if language else None,
            )
            assert finished is not None, "an experiment is one process"
            test = TokenizedReviews(tokens, ["test"], encoding)
            metrics = evaluate(probabilities(predict_logits(finished.model, test)), test.labels)
            weights = [values.numel() for name, values in finished.model.named_parameters() if name != EMBEDDING]
            figures = {
                "test_accuracy": metrics["accuracy"],
                "test_loss": metrics["log_loss"],
                "final_validation_accuracy": finished.history[-1]["validation_accuracy"],
                "weights": sum(weights),
                "train_seconds": sum(row["epoch_seconds"] for row in finished.history),
            }
            for name, value in figures.items():
                client.log_metric(run_id, name, value)
            if self.gradients:
                norms = norms_by_age(finished.model, test, self.gradients + 1)
                points = [Metric("gradient_norm", float(norm), 0, age) for age, norm in enumerate(norms)]
                client.log_batch(run_id, metrics=points)
            # last: Lightning's logger calls the run finished as soon as the training is
            client.set_tag(run_id, KEY, self.key(context))
        return run_id


class Language(NamedTuple):
    """A language model: the weights that a classifier can start from, and its MLflow run."""

    weights: dict[str, Tensor]
    run_id: str


def _pretrained(client: MlflowClient, wanted: Experiment, context: Context) -> Language:
    """The language model that `wanted` starts from, whatever labelled reviews it sees later."""
    once = wanted.model.model_copy(update={"max_epochs": 1, "patience": 1})  # how often labelled reviews are read, too
    common = wanted.model_copy(update={"reviews": None, "model": once})
    file = context.work / f"language-{common.key(context)}.safetensors"
    with FileLock(f"{file}.lock"):
        if not file.exists():
            name = f"{wanted.model.cell}, language model"
            run_id = common.start(client, context, name)
            with runs.running(client, run_id):
                learned = pretrain(
                    f"{name}, seed {wanted.seed}",
                    wanted.model,
                    one_device(context.trainer),
                    wanted.seed,
                    tokens=context.tokens,
                    reviews=wanted.pretraining,
                    logger=RunLogger(run_id),
                )
                partial = file.with_suffix(".partial")
                save_file(learned, partial, metadata={"run_id": run_id})
                partial.rename(file)
    with safe_open(file, "pt") as stored:
        return Language(load_file(file), stored.metadata()["run_id"])
