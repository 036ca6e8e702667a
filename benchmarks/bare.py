"""Training loops without this project's trainer: what it is compared with.

`same` does the mathematics of `sentiment_rnn.training` and nothing else; `plain` is what a tutorial would have.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from sentiment_rnn.data.batches import BucketBatchSampler, Encoding, pad
from sentiment_rnn.data.tokenized import TokenizedReviews
from sentiment_rnn.models import Classifier
from sentiment_rnn.params import ModelParams
from sentiment_rnn.training.datamodule import PROTOCOLS


def same(reviews: TokenizedReviews, model: ModelParams, seed: int, precision: str) -> Iterator[Classifier]:
    """The steps of one epoch of a training whose learning rate is constant: the first `next` gets ready, each does one.

    Batches, initial values, what is dropped, precision and optimizer are those of `training.fit`.
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
    """The documents' network as one writes it in torch."""

    def __init__(self, vocab_size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, 128)
        self.lstm = nn.LSTM(128, 64, batch_first=True, bidirectional=True)
        self.dropout = nn.Dropout(0.5)
        self.readout = nn.Linear(128, 1)

    def forward(self, ids: Tensor) -> Tensor:
        _, (state, _) = self.lstm(self.embedding(ids))
        return self.readout(self.dropout(torch.cat([state[0], state[1]], dim=-1))).squeeze(-1)


def plain(network: PlainBiLSTM, optimizer: torch.optim.Optimizer, ids: Tensor, labels: Tensor, batch_size: int) -> None:
    """One epoch in float32 over ids `(N, T)`."""
    network.train()
    for batch, targets in DataLoader(TensorDataset(ids, labels), batch_size=batch_size, shuffle=True):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(network(batch), targets).backward()
        optimizer.step()


def arrays(reviews: TokenizedReviews) -> tuple[Tensor, Tensor]:
    """All reviews' ids `(N, T)`, as `pad_sequences` would give them, and labels `(N,)`."""
    ids, _ = pad([reviews.token_ids(row) for row in range(len(reviews))], reviews.encoding)
    return ids.t().contiguous(), torch.from_numpy(reviews.labels)


def splits(model: ModelParams, tokens: str, share: float = 1.0) -> tuple[TokenizedReviews, TokenizedReviews]:
    """What a model is trained on and what it is scored on, as `ReviewsDataModule` reads them."""
    protocol = PROTOCOLS[model.protocol]
    encoding = Encoding(**model.encoding())
    trained = TokenizedReviews(tokens, protocol.trained, encoding)
    if share < 1:
        trained.subsample(share, 1)
    return trained, TokenizedReviews(tokens, [protocol.scored], encoding)
