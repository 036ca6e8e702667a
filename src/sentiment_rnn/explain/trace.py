"""A review word by word: what the cells did at each word, how much of it is pooled, what the model says so far."""

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
from sentiment_rnn.explain.gates import GATES, look
from sentiment_rnn.inference.ensemble import Ensemble
from sentiment_rnn.inference.predictor import BATCH, Predictor
from sentiment_rnn.models import Classifier
from sentiment_rnn.models.recurrent import Recurrent

LONGEST = 14  # characters of a word that are shown


@dataclass(frozen=True)
class Trace:
    """`N` words that a model read, and of each:

    Attributes:
        words: as the text has them; what stands for padding, where a model reads it as words, is one more in front.
        known: whether the model has a vector of its own for it.
        cells: by direction and measure (a gate's mean over the units, the norm of the cell state `|c|` and of the
            hidden state `|h|`), `(N,)`.
        pooling: by the way that the states are pooled, the word's share in it, `(N,)`, sum 1.
        probability: what the whole model says of the text up to this word, `(N,)`; NaN for padding.
        notes: what a reader should know of it.
    """

    words: list[str]
    known: np.ndarray
    cells: dict[str, dict[str, np.ndarray]]
    pooling: dict[str, np.ndarray]
    probability: np.ndarray
    notes: list[str]


@torch.inference_mode()
def trace(predictor: Predictor, text: str) -> Trace:
    """Read a review with a model and write down what happens; of an average, in its first member.

    Raises:
        UserError: the text has no words.
    """
    tokens = _tokens(predictor, text)
    encoding = predictor.encoding
    read = truncate(np.arange(len(tokens)), encoding.max_length, encoding.truncation)
    model = predictor.model.members[0] if isinstance(predictor.model, Ensemble) else predictor.model
    assert isinstance(model, Classifier)
    ids, lengths = pad([np.array(tokens.ids)], encoding)
    ids = ids[: lengths[0]]
    states, seen = look(model.encoder, model.embed(ids))
    padding = len(ids) - len(read)
    words = [_legible(text[slice(*tokens.offsets[place])]) for place in read]
    known = (ids[padding:, 0] != UNKNOWN).numpy()
    probability = _so_far(predictor, text, [tokens.offsets[place][1] for place in read])
    cells = {direction: _measures(values) for direction, values in seen.items()}
    return Trace(
        words=[f"padding x {padding}"] * bool(padding) + words,
        known=np.concatenate([[True] * bool(padding), known]),
        cells={
            direction: {name: _one_for_padding(values, padding, np.mean) for name, values in measures.items()}
            for direction, measures in cells.items()
        },
        pooling={
            name: _one_for_padding(shares.double().numpy(), padding, np.sum)
            for name, shares in pooling_shares(model, states).items()
        },
        probability=np.concatenate([[np.nan] * bool(padding), probability]),
        notes=_notes(predictor, model, len(tokens), known, cells.values()),
    )


def pooling_shares(model: Classifier, states: Tensor) -> dict[str, Tensor]:
    """How much of what is pooled comes from each step, by way of pooling, `(T,)`, sum 1.

    Of `attention` that is its weight; of `mean` 1 / T; of `max` the share of the units whose maximum stands there; of
    `last` the share of the units whose direction ends there.

    Args:
        model: how the states are pooled.
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


def _tokens(predictor: Predictor, text: str) -> Tokens:
    try:
        tokens = predictor.tokenizer.encode(text)
    except (TypeError, UnicodeEncodeError):
        raise UserError("the text is not UTF-8") from None
    if not len(tokens):
        raise UserError('the text has no words: make inspect TEXT="I expected nothing, but I loved it"')
    return tokens


def _so_far(predictor: Predictor, text: str, ends: list[int]) -> np.ndarray:
    """What the served function says of the text up to each of `ends`, in characters."""
    said = []
    with tqdm(total=len(ends), desc="what the model says so far", unit=" words", leave=False, delay=1) as progress:
        for start in range(0, len(ends), BATCH):
            said.append(predictor.positive([text[:end] for end in ends[start : start + BATCH]]))
            progress.update(len(said[-1]))
    return np.concatenate(said)


def _measures(seen: dict[str, Tensor]) -> dict[str, np.ndarray]:
    """One number a step and gate, and the norms of the states, each `(T,)`."""
    measures = {name: seen[name].mean(dim=-1) for name in GATES if name in seen}
    measures |= {f"|{name[0]}|": seen[name].norm(dim=-1) for name in ("cell", "hidden") if name in seen}
    return {name: values.numpy() for name, values in measures.items()}


def _one_for_padding(values: np.ndarray, padding: int, how: Callable[[np.ndarray], float]) -> np.ndarray:
    """The steps of the padding in front, which a model may read as words, become one."""
    return np.concatenate([[how(values[:padding])], values[padding:]]) if padding else values


def _legible(word: str) -> str:
    """A word that moves no cursor and fills no line."""
    word = "".join(character if character.isprintable() else "\ufffd" for character in word)
    return word if len(word) <= LONGEST else f"{word[: LONGEST - 1]}…"


def _notes(
    predictor: Predictor, model: Classifier, tokens: int, known: np.ndarray, cells: Iterable[dict[str, np.ndarray]]
) -> list[str]:
    notes: list[str] = []
    if isinstance(predictor.model, Ensemble):
        count = len(predictor.model.members)
        notes.append(
            f"cells and pooling are those of the first of its {count} members, the probability is that of all"
        )
    if not any(name in GATES for measures in cells for name in measures):
        notes.append("this model has no gates: shown is the norm of its states")
    if isinstance(model.encoder, Recurrent) and len(model.encoder.layers) > 1:
        notes.append(f"the cells are those of the last of {len(model.encoder.layers)} layers, which is pooled")
    if len(known) < tokens:
        notes.append(f"the model reads {len(known)} of the text's {tokens} words")
    if not known.all():
        notes.append("grey: words that the model does not know")
    return notes
