"""Stage train@ARCH: the model of each seed in models/ARCH, its figures in reports/train/ARCH.json.

An architecture with a pipeline of its own (`best/dvc.yaml`) has them in its folder.
"""

import csv
import shutil
from pathlib import Path

from pipeline import architecture_named, home, pretrained, report_of
from sentiment_rnn import params
from sentiment_rnn.data.datamodule import PROTOCOLS
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.training.train import train


def main(name: str) -> None:
    chosen = params.load()
    model = chosen.model_of(name)
    root = home(name)
    if root == Path():  # the recipe is not searched: its values stand in params.yaml
        model = params.with_values(model, read_json(f"searches/{name}.json"))
    models, reports = root / "models" / name, root / "reports" / "train"
    seeds = []
    for seed in model.seeds:
        report = train(
            name,
            model,
            chosen.trainer,
            seed,
            tokens=Path("data/tokens"),
            pretrained=pretrained(name),
            taught=Path(f"data/taught/{name}"),
            work=Path(f"work/train/{name}"),
            out=models / f"seed-{seed}",
            stage=f"train@{name}" if root == Path() else f"{root}/dvc.yaml:train-{name}",
        )
        if report:
            seeds.append(report)
    if not seeds:
        return  # another process of a distributed training keeps the records
    scored = PROTOCOLS[model.protocol].scored
    history = [  # one set of columns for all architectures, so that DVC can plot them together
        {"seed": seed, **{key.replace(f"{scored}_", "scored_"): value for key, value in row.items()}}
        for seed in model.seeds
        for row in read_json(models / f"seed-{seed}" / "history.json")
    ]
    write_json(reports / f"{name}.json", report_of(name, model.protocol, seeds))
    with (reports / f"{name}.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(history[0]))
        writer.writeheader()
        writer.writerows(history)
    shutil.rmtree(f"work/train/{name}")


if __name__ == "__main__":
    main(architecture_named())
