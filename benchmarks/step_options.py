"""Time of a training step of the reference script under each option (precision, optimizer, padding).

python -m benchmarks.step_options [--quick]
"""

import statistics
import time
from itertools import islice
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from benchmarks import minimal_loops
from benchmarks.measure import Ratio, Result, command, interleaved, median_ratio
from sentiment_rnn import params
from sentiment_rnn.data.batches import BucketBatchSampler
from sentiment_rnn.models import Classifier

TITLE = "Step options: relative time of a training step"
BASELINE = "float32, padded to 200, Adam"


class Options(NamedTuple):
    """Options of a step."""

    half: bool = False
    padding: str = "pre"
    optimizer: str = "adam"  # adam | fused | sparse (only the rows of the embedding that occur in the batch)


VARIANTS = {
    BASELINE: Options(),
    "bfloat16 autocast": Options(half=True),
    "fused Adam": Options(optimizer="fused"),
    "sparse Adam for the embedding": Options(optimizer="sparse"),
    "batches of one of 16 widths": Options(padding="post"),
    "bfloat16, fused": Options(half=True, optimizer="fused"),
    "bfloat16, fused, 16 widths": Options(half=True, padding="post", optimizer="fused"),
}


class Steps:
    """A number of training steps under some options; a call runs them and returns their seconds."""

    def __init__(self, options: Options, count: int) -> None:
        model = params.load().model_of("bilstm_keras").model_copy(update={"padding": options.padding})
        self.half = options.half
        self.reviews, _ = minimal_loops.load_splits(model, "data/tokens")
        batches = BucketBatchSampler(self.reviews.lengths, self.reviews.encoding, model.batch_size, 1)
        self.batches = list(islice(batches, count))
        self.classifier = Classifier(**model.architecture())
        parameters = list(self.classifier.parameters())
        self.optimizers: list[torch.optim.Optimizer] = []
        if options.optimizer == "sparse":
            table = self.classifier.embedding.weight
            self.classifier.embedding = nn.Embedding.from_pretrained(table.detach(), freeze=False, sparse=True)
            parameters = [weights for name, weights in self.classifier.named_parameters() if name != "embedding.weight"]
            self.optimizers.append(torch.optim.SparseAdam([self.classifier.embedding.weight]))
        fused = True if options.optimizer != "adam" else None
        self.optimizers.append(torch.optim.Adam(parameters, fused=fused))
        self.collation_seconds = 0.0

    def __call__(self) -> float:
        begin = time.perf_counter()
        self.collation_seconds = 0.0
        for rows in self.batches:
            fetching = time.perf_counter()
            batch = self.reviews[rows]
            self.collation_seconds += time.perf_counter() - fetching
            for optimizer in self.optimizers:
                optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=self.half):
                logits = self.classifier(batch.ids, batch.lengths).float()
                loss = F.binary_cross_entropy_with_logits(logits, batch.labels)
            loss.backward()
            for optimizer in self.optimizers:
                optimizer.step()
        return time.perf_counter() - begin


def measure(quick: bool) -> Result:
    count = 4 if quick else 16
    steps = {name: Steps(options, count) for name, options in VARIANTS.items()}
    taken = interleaved(steps, 2 if quick else 5, warm_up=1)
    ratios = {name: Ratio(median_ratio(taken, name, BASELINE)) for name in VARIANTS if name != BASELINE}
    rows = [
        [
            name,
            "1" if name == BASELINE else f"{ratios[name].value:.2f}",
            f"{1000 * statistics.median(taken[name]) / count:.1f}",
        ]
        for name in VARIANTS
    ]
    fraction = steps["bfloat16, fused"].collation_seconds / taken["bfloat16, fused"][-1]
    notes = [f"Collation from the memory-mapped ids takes {fraction:.1%} of a step in bfloat16."]
    return Result(ratios, ["options", "relative time", "ms/step"], rows, notes)


if __name__ == "__main__":
    command("step_options", TITLE, measure)
