"""Stage register: the best candidate on validation, calibrated, becomes the next version of the registered model.

Which one, in reports/registered.json. `python -m pipeline.register best` registers the recipe `best`, an architecture
of params.yaml, whatever the candidates are: best/reports/registered.json.
"""

from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from pipeline import home, recipe_named
from sentiment_rnn import params
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.inference.assemble import assemble
from sentiment_rnn.params import Params
from sentiment_rnn.tracking import notes, registry, runs
from sentiment_rnn.tracking.store import connect


def main(recipe: str | None = None) -> None:
    chosen = params.load()
    identity = load_identity("data/tokens")
    name, seeds = choose(chosen, recipe)
    numbers = [seed["seed"] for seed in seeds]
    client = connect()
    files = {"model_folder": Path(f"work/registered/{name}"), "tokenizer_file": Path("data/tokens/tokenizer.json")}
    folders = [home(name) / f"models/{name}/seed-{number}" for number in numbers]
    assembled = assemble(folders, Path("data/tokens"), files["model_folder"])
    validation, after = assembled["validation"], assembled["validation"]["after"]

    tags = {
        "architecture": name,
        "seeds": ", ".join(map(str, numbers)),
        "members": str(assembled["members"]),
        "refit": str(assembled["refit"]).lower(),
        "temperature": str(assembled["temperature"]),
        "reproduce": f"dvc repro {'best/dvc.yaml:' if recipe else ''}register",
    }
    which = f"seed {numbers[0]}" if len(seeds) == 1 else f"the average of seeds {tags['seeds']}"
    known = registry.find(client, chosen.registry.name, **files)
    run_id = existing_run(client, known, seeds)
    if run_id is None:
        run_id = runs.start(
            client,
            identity["dataset"],
            f"{name} (registered from files)" if len(seeds) == 1 else f"{name}, average of {len(seeds)}",
            params={},
            tags=tags,
            identity=identity,
        )
    what = notes.corpus(identity["dataset"])
    if assembled["refit"]:
        what += " and, once judged, on its validation reviews"
    version = registry.register(
        run_id,
        chosen.registry.name,
        **files,
        tags={
            **tags,
            **runs.dataset_tags(identity),
            "validation.accuracy": f"{validation['accuracy']:.6f}",
            "validation.loss": f"{after['log_loss']:.6f}",
            "validation.ece": f"{after['ece']:.6f}",
        },
        description=f"{name}, {which}, trained on {what}: raw review text in, label and probability out.",
    )
    report = {
        "model": chosen.registry.name,
        "version": version,
        "dataset": identity["dataset"],
        "architecture": name,
        "seeds": numbers,
        **assembled,
        "run_id": run_id,
    }
    write_json(Path(recipe or "", "reports", "registered.json"), report)
    before = validation["before"]
    print(f"{chosen.registry.name} version {version}: {name}, {which}, trained on {what}")
    print(
        f"temperature {assembled['temperature']}: validation loss {before['log_loss']:.4f} to {after['log_loss']:.4f},"
    )
    print(f"ECE {before['ece']:.4f} to {after['ece']:.4f}; accuracy stays {validation['accuracy']:.4f}")


def choose(chosen: Params, recipe: str | None) -> tuple[str, list[dict[str, Any]]]:
    """The recipe, or the candidate whose best seed is the best on validation; of it that seed, or with `average` all.

    Returns:
        The architecture's name, and what training reported of the seeds.

    Raises:
        UserError: the recipe is no architecture of params.yaml, or has no validation.
    """
    if recipe and chosen.model_of(recipe).protocol == "document":
        raise UserError(f"{recipe} has protocol document: no validation to be calibrated and judged by")
    candidates = [name for name in chosen.registry.candidates if name in chosen.architectures]
    trained = {
        name: read_json(home(name) / f"reports/train/{name}.json")["seeds"]
        for name in ([recipe] if recipe else candidates)
    }
    best = {name: min(seeds, key=lambda seed: seed["validation_loss"]) for name, seeds in trained.items()}
    name = min(best, key=lambda name: best[name]["validation_loss"])
    return name, trained[name] if chosen.model_of(name).average else [best[name]]


def existing_run(client: MlflowClient, known: ModelVersion | None, seeds: list[dict[str, Any]]) -> str | None:
    """The run of the version that the model is already, else its training's.

    None where the store has neither: an average is no training's, and a model may have been trained elsewhere.
    """
    run_ids = [known.run_id] if known else []
    if len(seeds) == 1:
        run_ids.append(seeds[0]["run_id"])
    return next((run_id for run_id in run_ids if runs.exists(client, run_id)), None)


if __name__ == "__main__":
    main(recipe_named())
