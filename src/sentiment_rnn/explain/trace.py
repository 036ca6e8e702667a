"""Trace of a model over a review: at each word the gates, the states, the share in the pooling, the probability."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Encoding as Tokens
from torch import Tensor
from tqdm import tqdm

from sentiment_rnn.data.batches import pad, truncate
from sentiment_rnn.data.corpus import UNKNOWN
from sentiment_rnn.errors import UserError
from sentiment_rnn.explain.gates import GATES, trace_encoder
from sentiment_rnn.inference.ensemble import Ensemble
from sentiment_rnn.inference.predictor import BATCH_SIZE, Predictor
from sentiment_rnn.models import Classifier
from sentiment_rnn.models.recurrent import Recurrent

MAX_WORD_LENGTH = 14  # characters; longer words are cut


@dataclass(frozen=True)
class Trace:
    """The `N` words of a review after truncation, with the values recorded at each of them.

    Attributes:
        words: as in the text; if the model pads before the text, the padding is one more word, the first.
        known: whether the word is in the model's vocabulary.
        cells: by direction and measure (a gate's mean over the units, the norm of the cell state `|c|` and of the
            hidden state `|h|`), `(N,)`.
        pooling: by pooling method, the word's share in the pooled vector, `(N,)`, sum 1.
        probability: of "positive" for the text up to and with this word, by the whole model, `(N,)`; NaN for padding.
        notes: remarks on the model and the text, to be shown with it.
    """

    words: list[str]
    known: np.ndarray
    cells: dict[str, dict[str, np.ndarray]]
    pooling: dict[str, np.ndarray]
    probability: np.ndarray
    notes: list[str]


@torch.inference_mode()
def trace(predictor: Predictor, text: str) -> Trace:
    """Run a model over a review and record gates, states and pooling; of an ensemble, those of its first member.

    Raises:
        UserError: the text has no words, or is invalid Unicode.
    """
    tokens = _tokenize(predictor, text)
    encoding = predictor.encoding
    positions = truncate(np.arange(len(tokens)), encoding.max_length, encoding.truncation)
    model = predictor.model.members[0] if isinstance(predictor.model, Ensemble) else predictor.model
    assert isinstance(model, Classifier)
    ids, lengths = pad([np.array(tokens.ids)], encoding)
    ids = ids[: lengths[0]]
    states, recorded = trace_encoder(model.encoder, model.embed(ids))
    padding = len(ids) - len(positions)
    words = [_printable(text[slice(*tokens.offsets[position])]) for position in positions]
    known = (ids[padding:, 0] != UNKNOWN).numpy()
    probability = _prefix_probabilities(predictor, text, [tokens.offsets[position][1] for position in positions])
    cells = {direction: _summarize(values) for direction, values in recorded.items()}
    return Trace(
        words=[f"padding x {padding}"] * bool(padding) + words,
        known=np.concatenate([[True] * bool(padding), known]),
        cells={
            direction: {name: _collapse_padding(values, padding, np.mean) for name, values in measures.items()}
            for direction, measures in cells.items()
        },
        pooling={
            name: _collapse_padding(shares.double().numpy(), padding, np.sum)
            for name, shares in pooling_shares(model, states).items()
        },
        probability=np.concatenate([[np.nan] * bool(padding), probability]),
        notes=_notes(predictor, model, len(tokens), known, cells.values()),
    )


def pooling_shares(model: Classifier, states: Tensor) -> dict[str, Tensor]:
    """The share of each step in the pooled vector, by pooling method, `(T,)`, sum 1.

    For `attention` it is the step's weight; for `mean` 1 / T; for `max` the fraction of the units whose maximum is at
    that step; for `last` the fraction of the units whose direction ends there.

    Args:
        model: its pooling methods are used.
        states: `(T, 1, D * H)` of one review.
    """
    steps, _, units = states.shape
    backward = units - model.encoder.hidden_size
    last = torch.zeros(steps)
    last[-1] += (units - backward) / units
    last[0] += backward / units
    shares = {
        "last": last,
        "mean": torch.full((steps,), 1 / steps),
        "max": torch.bincount(states[:, 0].argmax(dim=0), minlength=steps) / units,
    }
    if model.attention is not None:
        shares["attention"] = model.attention.weights(states, torch.tensor([steps]))[:, 0]
    return {name: shares[name] for name in model.pooling}


def _tokenize(predictor: Predictor, text: str) -> Tokens:
    try:
        tokens = predictor.tokenizer.encode(text)
    except (TypeError, UnicodeEncodeError):
        raise UserError("the text is not UTF-8: convert it") from None
    if not len(tokens):
        raise UserError('the text has no words: `sentiment-rnn explain "I expected nothing, but I loved it"`')
    return tokens


def _prefix_probabilities(predictor: Predictor, text: str, ends: list[int]) -> np.ndarray:
    """The whole model's probability of each prefix of the text; `ends` are their lengths in characters."""
    batches = []
    with tqdm(total=len(ends), desc="probability so far", unit=" words", leave=False, delay=1) as progress:
        for start in range(0, len(ends), BATCH_SIZE):
            batches.append(predictor.predict_probabilities([text[:end] for end in ends[start : start + BATCH_SIZE]]))
            progress.update(len(batches[-1]))
    return np.concatenate(batches)


def _summarize(recorded: dict[str, Tensor]) -> dict[str, np.ndarray]:
    """The mean of each gate and the norms of the states at each step, `(T,)`."""
    measures = {name: recorded[name].mean(dim=-1) for name in GATES if name in recorded}
    measures |= {f"|{name[0]}|": recorded[name].norm(dim=-1) for name in ("cell", "hidden") if name in recorded}
    return {name: values.numpy() for name, values in measures.items()}


def _collapse_padding(values: np.ndarray, padding: int, how: Callable[[np.ndarray], float]) -> np.ndarray:
    """Combine the first `padding` steps into one."""
    return np.concatenate([[how(values[:padding])], values[padding:]]) if padding else values


def _printable(word: str) -> str:
    """A word without control characters, cut to `MAX_WORD_LENGTH`."""
    word = "".join(character if character.isprintable() else "\ufffd" for character in word)
    return word if len(word) <= MAX_WORD_LENGTH else f"{word[: MAX_WORD_LENGTH - 1]}…"


def _notes(
    predictor: Predictor, model: Classifier, tokens: int, known: np.ndarray, cells: Iterable[dict[str, np.ndarray]]
) -> list[str]:
    notes: list[str] = []
    if isinstance(predictor.model, Ensemble):
        count = len(predictor.model.members)
        notes.append(f"gates, states and pooling of the first of {count} members; the probability is the ensemble's")
    if not any(name in GATES for measures in cells for name in measures):
        notes.append("this model has no gates: the norm of its states is shown")
    if isinstance(model.encoder, Recurrent) and len(model.encoder.layers) > 1:
        notes.append(f"gates and states of the last of {len(model.encoder.layers)} layers, whose states are pooled")
    if len(known) < tokens:
        notes.append(f"the model uses {len(known)} of the text's {tokens} words")
    if not known.all():
        notes.append("gray: words outside the model's vocabulary")
    return notes
