"""Which model is looked into: a registered one, or one that was trained here."""

from pathlib import Path

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.models import Model

from sentiment_rnn import params
from sentiment_rnn.errors import UserError
from sentiment_rnn.inference.predictor import Predictor
from sentiment_rnn.tracking import registry
from sentiment_rnn.tracking.store import connect_to_existing, tracking_uri


def load(named: str) -> tuple[Predictor, str]:
    """A model by its name, and what it is in words. Weights are safetensors, the rest is JSON: no code is run.

    Args:
        named: `champion`, the number of a version of the registered model, or an architecture of params.yaml, of which
            the first seed's model is taken, as it was trained: only a registered one is calibrated.

    Raises:
        UserError: there is no such model, or not yet.
    """
    chosen = params.load()
    if named == registry.CHAMPION or named.isdecimal():
        return _registered(chosen.registered_name, named)
    if named not in chosen.models:
        raise UserError(
            f"no model is called {named!r}: champion, a version of {chosen.registered_name} by its number, "
            f"or one of {', '.join(chosen.models)}"
        )
    folders = [
        Path(root, "models", named, f"seed-{seed}") for root in ("", "best") for seed in chosen.model_of(named).seeds
    ]
    folder = next((folder for folder in folders if folder.is_dir()), None)
    if folder is None:
        raise UserError(f"{named} is not trained yet: dvc repro train@{named} (a recipe: make best), or dvc pull")
    tokenizer = Path("data/tokens/tokenizer.json")
    if not tokenizer.is_file():
        raise UserError(f"{tokenizer} is not there: run `dvc repro tokenize` (or `dvc pull`)")
    return Predictor(folder, tokenizer), f"{folder}, not calibrated"


def _registered(name: str, named: str) -> tuple[Predictor, str]:
    client = connect_to_existing()
    if named == registry.CHAMPION:
        version = str(registry.require_champion(client, name).version)
        what = f"{name} version {version}, the champion"
    else:
        version, what = named, f"{name} version {named}"
    mlflow.set_tracking_uri(tracking_uri())
    mlflow.set_registry_uri(tracking_uri())
    try:
        folder = Path(mlflow.artifacts.download_artifacts(f"models:/{name}/{version}"))
    except (MlflowException, OSError) as error:
        raise UserError(
            f"version {version} of {name} cannot be read from {tracking_uri()} ({type(error).__name__}): "
            "MODEL=champion, or the number of a version that `make ui` shows"
        ) from error
    files = Model.load(str(folder)).flavors["python_function"]["artifacts"]
    return Predictor(folder / files["model"]["path"], folder / files["tokenizer"]["path"]), what
