"""Training loops without Lightning, MLflow and checkpoints, as references for the full training."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from sentiment_rnn.data.batches import BucketBatchSampler, Encoding, pad
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.models import Classifier
from sentiment_rnn.params import ModelParams
from sentiment_rnn.training.datamodule import PROTOCOLS


def equivalent_steps(reviews: TokenizedReviews, model: ModelParams, seed: int, precision: str) -> Iterator[Classifier]:
    """The steps of one epoch with the arithmetic of `training.fit`, for a constant learning rate.

    Batches, initial weights, dropout masks, precision and optimizer are the same. The first `next` initializes the
    model, each further one takes a step.
    """
    batches = BucketBatchSampler(reviews.lengths, reviews.encoding, model.batch_size, seed)
    torch.manual_seed(seed)
    classifier = Classifier(**model.architecture())
    optimizer = torch.optim.Adam(classifier.parameters(), lr=model.learning_rate, eps=model.adam_epsilon, fused=True)
    torch.manual_seed(hash((seed, 0, 0)))  # as SentimentModule does before its first epoch
    yield classifier
    for rows in batches:
        batch = reviews[rows]
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16-mixed"):
            logits = classifier(batch.ids, batch.lengths).float()
            loss = F.binary_cross_entropy_with_logits(logits, batch.labels)
        loss.backward()
        if model.gradient_clip is not None:
            nn.utils.clip_grad_norm_(classifier.parameters(), model.gradient_clip)
        optimizer.step()
        yield classifier


class PlainBiLSTM(nn.Module):
    """The network of the reference script in a few lines of torch."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 128)
        self.lstm = nn.LSTM(128, 64, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(0.5)
        self.readout = nn.Linear(128, 1)

    def forward(self, ids: Tensor) -> Tensor:
        _, (state, _) = self.lstm(self.embedding(ids))
        return self.readout(self.dropout(torch.cat([state[0], state[1]], dim=-1))).squeeze(-1)


def plain_epoch(
    network: PlainBiLSTM, optimizer: torch.optim.Optimizer, ids: Tensor, labels: Tensor, batch_size: int
) -> None:
    """One epoch in float32 over ids `(N, T)`, as a tutorial writes it."""
    network.train()
    for batch, targets in DataLoader(TensorDataset(ids, labels), batch_size=batch_size, shuffle=True):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(network(batch), targets).backward()
        optimizer.step()


def padded_arrays(reviews: TokenizedReviews) -> tuple[Tensor, Tensor]:
    """All reviews' ids `(N, T)`, padded as by Keras's `pad_sequences`, and labels `(N,)`."""
    ids, _ = pad([reviews.token_ids(row) for row in range(len(reviews))], reviews.encoding)
    return ids.t().contiguous(), torch.from_numpy(reviews.labels)


def load_splits(model: ModelParams, tokens: str, fraction: float = 1.0) -> tuple[TokenizedReviews, TokenizedReviews]:
    """The training reviews and the evaluated ones, as `ReviewsDataModule` reads them."""
    protocol = PROTOCOLS[model.protocol]
    encoding = Encoding(**model.encoding())
    train = TokenizedReviews(tokens, protocol.train_splits, encoding)
    if fraction < 1:
        train.subsample(fraction, 1)
    return train, TokenizedReviews(tokens, [protocol.eval_split], encoding)
