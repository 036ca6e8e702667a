"""Stage train@ARCH: the model of each seed in models/ARCH, its figures in reports/train/ARCH.json."""

import csv
import shutil
from pathlib import Path

from pipeline import architecture_named
from sentiment_rnn import params
from sentiment_rnn.data.datamodule import PROTOCOLS
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.training.train import train


def main(name: str) -> None:
    chosen = params.load()
    model = params.with_values(chosen.model_of(name), read_json(f"searches/{name}.json"))
    seeds = []
    for seed in model.seeds:
        report = train(
            name,
            model,
            chosen.trainer,
            seed,
            tokens=Path("data/tokens"),
            work=Path(f"work/train/{name}"),
            out=Path(f"models/{name}/seed-{seed}"),
        )
        if report:
            seeds.append(report)
    if not seeds:
        return  # another process of a distributed training keeps the records
    scored = PROTOCOLS[model.protocol].scored
    history = [  # one set of columns for all architectures, so that DVC can plot them together
        {"seed": seed, **{key.replace(f"{scored}_", "scored_"): value for key, value in row.items()}}
        for seed in model.seeds
        for row in read_json(f"models/{name}/seed-{seed}/history.json")
    ]
    write_json(f"reports/train/{name}.json", {"architecture": name, "protocol": model.protocol, "seeds": seeds})
    with open(f"reports/train/{name}.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(history[0]))
        writer.writeheader()
        writer.writerows(history)
    shutil.rmtree(f"work/train/{name}")


if __name__ == "__main__":
    main(architecture_named())
