"""Stage teach: what an architecture's teachers say of the unlabelled reviews, in data/taught/ARCH, to learn from."""

from pathlib import Path

import numpy as np

from pipeline import architecture_named, home
from sentiment_rnn import params
from sentiment_rnn.errors import UserError
from sentiment_rnn.evaluation import trained
from sentiment_rnn.evaluation.calibration import temperature
from sentiment_rnn.evaluation.metrics import probabilities
from sentiment_rnn.evaluation.trained import Scored
from sentiment_rnn.files import read_json
from sentiment_rnn.params import Params
from sentiment_rnn.training import distillation


def main(name: str) -> None:
    chosen = params.load()
    teachers = chosen.model_of(name).teachers
    if not teachers:
        raise UserError(f"params.yaml: models.{name}.teachers: names none")
    judged = average([scored(teacher, chosen, "validation") for teacher in teachers])
    divisor = temperature(judged.logits, judged.labels)  # their mean is as sure of itself as it is right
    accuracy = np.mean((judged.logits > 0) == (judged.labels > 0))
    print(f"{' and '.join(teachers)}: validation accuracy {accuracy:.4f}, temperature {divisor}", flush=True)
    print(f"{' and '.join(teachers)} judge the unlabelled reviews ...", flush=True)
    said = average([scored(teacher, chosen, "unsupervised") for teacher in teachers])
    distillation.save(probabilities(said.logits / divisor), Path("data/tokens"), Path(f"data/taught/{name}"))


def scored(name: str, chosen: Params, split: str) -> Scored:
    """What one teacher, a linear rival or all seeds of an architecture, says of a split."""
    raw, tokens = Path("data/raw"), Path("data/tokens")
    if name not in chosen.models:
        return trained.rival(Path(f"models/{name}"), raw, tokens, split)
    root = home(name)
    seeds = read_json(root / f"reports/train/{name}.json")["seeds"]
    return average([trained.network(root / f"models/{name}/seed-{seed['seed']}", tokens, split) for seed in seeds])


def average(several: list[Scored]) -> Scored:
    """Their mean logits, and the labels, which are the same."""
    return Scored(np.mean([one.logits for one in several], axis=0), several[0].labels)


if __name__ == "__main__":
    main(architecture_named())
