"""One training that claims are based on."""

from pathlib import Path
from typing import NamedTuple

from filelock import FileLock
from mlflow import MlflowClient
from mlflow.entities import Metric
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.evaluation.metrics import evaluate, probabilities
from sentiment_rnn.inference.logits import predict_logits
from sentiment_rnn.studies.claims import corpus
from sentiment_rnn.studies.claims.gradients import gradient_norms
from sentiment_rnn.studies.experiment import KEY, CachedExperiment, Context
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import tracking_uri
from sentiment_rnn.training.fit import fit
from sentiment_rnn.training.language_model import pretrain
from sentiment_rnn.training.logger import RunLogger

LANGUAGE_MODEL = "claims.language_model"  # tag: the run of the language model that the weights come from
EMBEDDING = "embedding.weight"  # the same in all models, and most of their weights


class Experiment(CachedExperiment):
    """A training with one seed, evaluated on test once, after its last epoch: test selects nothing.

    Attributes:
        reviews: number of labeled training reviews; None: all.
        dependency_length: of the long-range task; None: the data set's reviews.
        pretraining: number of unlabeled reviews of the language model that initializes it; 0: none.
        gradients: steps back over which the gradient is measured; 0: it is not measured.
    """

    reviews: int | None = None
    dependency_length: int | None = None
    pretraining: int = 0
    gradients: int = 0

    def tokens(self, context: Context) -> Path:
        """The folder of its tokenized reviews."""
        if self.dependency_length is None:
            return context.tokens
        return corpus.tokenize(context.work, self.dependency_length, self.reviews or 0)

    def run(self, context: Context) -> str:
        """Train, and evaluate on test.

        Returns:
            The id of its MLflow run: metrics test_accuracy, test_loss, final_validation_accuracy, weights (without the
            embedding), train_seconds, and gradient_norm, whose step counts the tokens after it.
        """
        client = MlflowClient(tracking_uri(), tracking_uri())
        tokens = self.tokens(context)
        encoding = Encoding(**self.model.encoding())
        language_model = _language_model(client, self, context) if self.pretraining else None
        run_id = self.start(client, context)
        with runs.running(client, run_id):
            if language_model:
                client.set_tag(run_id, LANGUAGE_MODEL, language_model.run_id)
            available = len(TokenizedReviews(tokens, ["train"], encoding))
            result = fit(
                f"{self.name}, seed {self.seed}",
                self.model,
                context.trainer,
                self.seed,
                tokens=tokens,
                checkpoints=None,
                logger=RunLogger(run_id),
                train_fraction=1.0 if self.reviews is None else min(1.0, self.reviews / available),
                init_state=language_model.weights if language_model else None,
            )
            assert result is not None, "an experiment is one process"
            test = TokenizedReviews(tokens, ["test"], encoding)
            metrics = evaluate(probabilities(predict_logits(result.model, test)), test.labels)
            weights = [values.numel() for name, values in result.model.named_parameters() if name != EMBEDDING]
            values = {
                "test_accuracy": metrics["accuracy"],
                "test_loss": metrics["log_loss"],
                "final_validation_accuracy": result.history[-1]["validation_accuracy"],
                "weights": sum(weights),
                "train_seconds": sum(row["epoch_seconds"] for row in result.history),
            }
            for name, value in values.items():
                client.log_metric(run_id, name, value)
            if self.gradients:
                norms = gradient_norms(result.model, test, self.gradients + 1)
                history = [Metric("gradient_norm", float(norm), 0, step) for step, norm in enumerate(norms)]
                client.log_batch(run_id, metrics=history)
            # last, since Lightning's logger ends the run as soon as the training has ended
            client.set_tag(run_id, KEY, self.key(context))
        return run_id


class LanguageModel(NamedTuple):
    """Weights that initialize a classifier, and the MLflow run that learned them."""

    weights: dict[str, Tensor]
    run_id: str


def _language_model(client: MlflowClient, experiment: Experiment, context: Context) -> LanguageModel:
    """The language model that `experiment` starts from; the same for any number of labeled reviews."""
    model = experiment.model.model_copy(update={"max_epochs": 1, "patience": 1})  # epochs on labeled reviews differ
    common = experiment.model_copy(update={"reviews": None, "model": model})
    file = context.work / f"language-model-{common.key(context)}.safetensors"
    with FileLock(f"{file}.lock"):
        if not file.exists():
            name = f"{model.cell}, language model"
            run_id = common.start(client, context, name)
            with runs.running(client, run_id):
                weights = pretrain(
                    f"{name}, seed {experiment.seed}",
                    model,
                    context.trainer,
                    experiment.seed,
                    tokens=context.tokens,
                    reviews=experiment.pretraining,
                    logger=RunLogger(run_id),
                )
                partial = file.with_suffix(".partial")
                save_file(weights, partial, metadata={"run_id": run_id})
                partial.rename(file)
    with safe_open(file, "pt") as stored:
        return LanguageModel(load_file(file), stored.metadata()["run_id"])
