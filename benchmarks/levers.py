"""What each way to be faster gives, beside what was expected of it: the documents' recipe, bare steps in turn.

python -m benchmarks.levers [--quick]
"""

import statistics
import time
from itertools import islice
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from benchmarks import bare
from benchmarks.measure import Ratio, Result, command, in_turn, ratio
from sentiment_rnn import params
from sentiment_rnn.data.batches import BucketBatchSampler
from sentiment_rnn.models import Classifier

TITLE = "Levers: what each gives"
BASE = "float32, padded to 200, Adam"


class Way(NamedTuple):
    """How steps are done, and the share of `BASE`'s time that was expected."""

    expected: float
    half: bool = False
    padding: str = "front"
    optimizer: str = "adam"  # adam | fused | sparse (the embedding's rows that were read)


WAYS = {
    BASE: Way(1.0),
    "bfloat16 autocast": Way(0.65, half=True),
    "fused Adam": Way(0.95, optimizer="fused"),
    "Adam of the embedding's rows that were read": Way(0.95, optimizer="sparse"),
    "padded to one of 16 widths, batches of one": Way(0.85, padding="back"),
    "bfloat16, fused": Way(0.60, half=True, optimizer="fused"),
    "bfloat16, fused, 16 widths": Way(0.5, half=True, padding="back", optimizer="fused"),
}


class Steps:
    """So many steps in one way; each call does them and gives their seconds."""

    def __init__(self, way: Way, count: int) -> None:
        model = params.load().model_of("bilstm_keras").model_copy(update={"padding": way.padding})
        self.way = way
        self.reviews, _ = bare.splits(model, "data/tokens")
        batches = BucketBatchSampler(self.reviews.lengths, self.reviews.encoding, model.batch_size, 1)
        self.rows = list(islice(batches, count))
        self.classifier = Classifier(**model.architecture())
        rest = list(self.classifier.parameters())
        self.optimizers: list[torch.optim.Optimizer] = []
        if way.optimizer == "sparse":
            table = self.classifier.embedding.weight
            self.classifier.embedding = nn.Embedding.from_pretrained(table.detach(), freeze=False, sparse=True)
            rest = [weights for name, weights in self.classifier.named_parameters() if name != "embedding.weight"]
            self.optimizers.append(torch.optim.SparseAdam([self.classifier.embedding.weight]))
        fused = True if way.optimizer != "adam" else None
        self.optimizers.append(torch.optim.Adam(rest, fused=fused))
        self.collating = 0.0

    def __call__(self) -> float:
        began = time.perf_counter()
        self.collating = 0.0
        for rows in self.rows:
            fetching = time.perf_counter()
            batch = self.reviews[rows]
            self.collating += time.perf_counter() - fetching
            for optimizer in self.optimizers:
                optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=self.way.half):
                logits = self.classifier(batch.ids, batch.lengths).float()
                loss = F.binary_cross_entropy_with_logits(logits, batch.labels)
            loss.backward()
            for optimizer in self.optimizers:
                optimizer.step()
        return time.perf_counter() - began


def measure(quick: bool) -> Result:
    count = 4 if quick else 16
    steps = {name: Steps(way, count) for name, way in WAYS.items()}
    taken = in_turn(steps, 2 if quick else 5, warm_up=1)
    ratios = {name: Ratio(ratio(taken, name, BASE)) for name in WAYS if name != BASE}
    rows = [
        [
            name,
            f"{way.expected:.2f}",
            "1" if name == BASE else f"{ratios[name].value:.2f}",
            f"{1000 * statistics.median(taken[name]) / count:.1f}",
        ]
        for name, way in WAYS.items()
    ]
    last = steps["bfloat16, fused"]
    share = last.collating / taken["bfloat16, fused"][-1]
    notes = [f"Collation from the memory-mapped ids is {share:.1%} of a step in bfloat16: there is nothing to gain."]
    return Result(ratios, ["way", "expected, of the first", "measured", "ms a step"], rows, notes)


if __name__ == "__main__":
    command("levers", TITLE, measure)
