"""Load the model to explain: a registered version, or a trained architecture."""

from pathlib import Path

from mlflow.exceptions import MlflowException

from sentiment_rnn import params
from sentiment_rnn.errors import UserError
from sentiment_rnn.inference.predictor import Predictor
from sentiment_rnn.inference.registration import TOKENIZER, WEIGHTS
from sentiment_rnn.tracking import registry
from sentiment_rnn.tracking.store import connect_to_existing, tracking_uri


def load_predictor(name: str) -> tuple[Predictor, str]:
    """Load a model; return it with a label for display. Only safetensors and JSON are read: no code is run.

    Args:
        name: `champion`, a version number of the registered model, or an architecture of params.yaml (the first of
            its seeds that is trained). Only registered models are calibrated.

    Raises:
        UserError: there is no such model, or it is not trained yet.
    """
    loaded = params.load()
    if name == registry.CHAMPION or name.isdecimal():
        return _load_registered(loaded.registered_name, name)
    if name not in loaded.models:
        raise UserError(
            f"no model {name!r}: choose champion, a version number of {loaded.registered_name}, "
            f"or one of {', '.join(loaded.models)}"
        )
    trained = Path("models", loaded.path_of(name))
    folders = [trained / f"seed-{seed}" for seed in loaded.model_of(name).seeds]
    folder = next((folder for folder in folders if folder.is_dir()), None)
    if folder is None:
        stage = f"train_{name}" if loaded.model_of(name).teachers else f"train@{name}"
        raise UserError(f"{name} is not trained yet: `dvc repro {stage}` (or `dvc pull`)")
    tokenizer = Path("data/tokens/tokenizer.json")
    if not tokenizer.is_file():
        raise UserError(f"{tokenizer} is missing: `dvc repro tokenize` (or `dvc pull`)")
    return Predictor(folder, tokenizer), f"{folder}, not calibrated"


def _load_registered(registered_name: str, name: str) -> tuple[Predictor, str]:
    client = connect_to_existing()
    if name == registry.CHAMPION:
        version = str(registry.require_champion(client, registered_name).version)
        label = f"{registered_name} version {version}, the champion"
    else:
        version, label = name, f"{registered_name} version {name}"
    try:
        run_id = client.get_model_version(registered_name, version).run_id
        folder = Path(client.download_artifacts(run_id, f"{WEIGHTS}/version-{version}"))
    except (MlflowException, OSError) as error:
        raise UserError(
            f"the weights of version {version} of {registered_name} cannot be read from {tracking_uri()} "
            f"({type(error).__name__}): choose another version that `sentiment-rnn ui` shows, or an architecture"
        ) from error
    return Predictor(folder, folder / TOKENIZER), label
