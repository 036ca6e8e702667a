"""Stage register: the best candidate on validation becomes the next version; which one, in reports/registered.json."""

from pathlib import Path

from sentiment_rnn import params
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.tracking import registry, runs
from sentiment_rnn.tracking.store import connect


def main() -> None:
    chosen = params.load()
    identity = load_identity("data/tokens")
    seeds = [
        {"architecture": name, **seed}
        for name in chosen.registry.candidates
        if name in chosen.architectures
        for seed in read_json(f"reports/train/{name}.json")["seeds"]
    ]
    best = min(seeds, key=lambda seed: seed["validation_loss"])
    name, seed = best["architecture"], best["seed"]

    client = connect()
    run_id = best["run_id"]
    tags = {"architecture": name, "seed": str(seed)}
    if not runs.exists(client, run_id):  # trained elsewhere, or the store is new: the files are all it takes
        run_id = runs.start(
            client,
            identity["dataset"],
            f"{name} (registered from files)",
            params={},
            tags=tags,
            identity=identity,
        )
    what = "IMDB" if identity["dataset"] == "imdb" else "the generated sample corpus, NOT IMDB"
    version = registry.register(
        run_id,
        chosen.registry.name,
        model_folder=Path(f"models/{name}/seed-{seed}"),
        tokenizer_file=Path("data/tokens/tokenizer.json"),
        tags={
            **tags,
            **runs.dataset_tags(identity),
            "validation.loss": f"{best['validation_loss']:.6f}",
            "validation.accuracy": f"{best['validation_accuracy']:.6f}",
        },
        description=f"{name}, seed {seed}, trained on {what}: raw review text in, label and probability out.",
    )
    report = {
        "model": chosen.registry.name,
        "version": version,
        "dataset": identity["dataset"],
        **best,
        "run_id": run_id,
    }
    write_json("reports/registered.json", report)
    print(f"{chosen.registry.name} version {version}: {name} seed {seed}, trained on {what}")


if __name__ == "__main__":
    main()
