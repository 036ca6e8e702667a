"""Short texts that are learned beside the reviews: generated sentences, rewritten sentences, neutral additions, spans.

Whole-review labels do not teach what a negation does to the next word (Kaushik, Hovy & Lipton, 2020, "Learning the
difference that makes a difference with counterfactually-augmented data").
"""

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tokenizers import Tokenizer

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.corpus import UNKNOWN
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.errors import UserError
from sentiment_rnn.training.augmentation import frames
from sentiment_rnn.training.augmentation.lexicon import Lexicon, learn
from sentiment_rnn.training.augmentation.phrases import Phrases, collect
from sentiment_rnn.training.augmentation.rewrites import MAX_TOKENS, LabeledText, rewritten, sentences

CONFIDENCE = 0.8  # learned for the label of a rule; at 0.95 the words outweigh what the reviews show of them
NO_OPINION = 0.6  # learned for a text without one: not 0.5, where any name would decide between the labels
ALONE = 0.2  # fraction of the neutral additions that are texts of their own
FROM_TRAIN = 0.6  # fraction of the subjects, asides and relative clauses that are phrases of train


class Generated(NamedTuple):
    """N texts: token ids `(n,)` of each, and probabilities of "positive" to learn, `(N,)`."""

    ids: list[np.ndarray]
    labels: np.ndarray


class Sources(NamedTuple):
    """What texts are generated from."""

    rng: random.Random
    reviews: list[np.ndarray]
    vocabulary: list[str]
    lexicon: Lexicon
    phrases: Phrases

    def shuffled(self) -> Iterator[list[str]]:
        """The tokens of the reviews in random order."""
        for row in self.rng.sample(range(len(self.reviews)), len(self.reviews)):
            yield [self.vocabulary[id] for id in self.reviews[row]]


def from_frames(sources: Sources) -> Iterator[LabeledText]:
    """Sentences from frames, filled with adjectives of train, half of them with a mark at the end."""
    rng = sources.rng
    while True:
        label = rng.randrange(2)
        frame = rng.choice((*frames.BOTH, *(frames.POSITIVE if label else frames.NEGATIVE)))
        tokens = _fill(_choose(frame, rng), _slots(label, sources))
        yield LabeledText(tokens + rng.choice((["."], ["!"], [], [])) if tokens[-1].isalnum() else tokens, float(label))


def _choose(frame: str, rng: random.Random) -> str:
    """A frame with one of each `[a|b]`."""
    return re.sub(r"\[([^]]*)\]", lambda match: rng.choice(match[1].split("|")), frame)


def _slots(label: int, sources: Sources) -> dict[str, str]:
    """A value for each slot of a frame."""
    rng, slots = sources.rng, {name: sources.rng.choice(words) for name, words in frames.NEUTRAL_WORDS.items()}
    for slot, found in zip(("it", "aside", "clause"), sources.phrases, strict=True):
        if found and rng.random() < FROM_TRAIN:
            slots[slot] = rng.choice(found)
    for prefix, polarity in (("", label), ("other", 1 - label)):
        word, word2 = rng.sample(sources.lexicon.adjectives[polarity], 2)
        verb, past = rng.choice(frames.VERBS[polarity])
        named = {
            "noun": rng.choice(frames.NOUNS[polarity]),
            "quality": rng.choice(frames.QUALITIES[polarity]),
            "verb": verb,
            "past": past,
            "do": rng.choice(frames.DOES[polarity]),
        }
        slots |= {f"{prefix}_{name}" if prefix else name: value for name, value in named.items()}
        slots |= {prefix or "word": word, f"{prefix or 'word'}2": word2}
    return slots


def rewrites(sources: Sources) -> Iterator[LabeledText]:
    """Sentences of reviews and their counterparts; the reviews are read again and again, in another order."""
    while True:
        first = None
        for first in rewritten(sources.shuffled(), sources.lexicon, sources.rng):
            yield first
        if first is None:
            raise UserError("augmentation: the rules for rewrites apply to no sentence of train: leave rewrites out")


def neutral(sources: Sources) -> Iterator[LabeledText]:
    """Texts of the other generators with a neutral addition, each also with another one; some additions alone."""
    texts = (from_frames(sources), rewrites(sources))
    while True:
        additions = [_addition(sources.rng) for _ in range(2)]
        if sources.rng.random() < ALONE:
            yield from (LabeledText(addition, NO_OPINION) for addition in additions)
            continue
        text = next(sources.rng.choice(texts))
        for addition in additions:
            tokens = text.tokens + addition if sources.rng.random() < 0.5 else addition + text.tokens
            yield LabeledText(tokens, text.label)


def _addition(rng: random.Random) -> list[str]:
    name, name2 = rng.sample(frames.NAMES, 2)
    slots = {
        "name": name, "name2": name2, "place": rng.choice(frames.PLACES),
        "group": rng.choice(frames.GROUPS), "group2": rng.choice(frames.GROUPS),
        "weekday": rng.choice(frames.WEEKDAYS), "address": rng.choice(frames.ADDRESSES),
        "number": str(rng.randint(20, 180)), "year": str(rng.randint(1960, 2010)),
    }  # fmt: skip
    return _fill(rng.choice(frames.NEUTRAL), slots)


def _fill(frame: str, slots: Mapping[str, str]) -> list[str]:
    """The tokens of a frame with its slots filled, with "an" before vowels."""
    return re.sub(r"\ba (?=[aeiou])", "an ", frame.format(**slots)).split()


GENERATORS: dict[str, Callable[[Sources], Iterator[LabeledText]]] = {
    "frames": from_frames,
    "rewrites": rewrites,
    "neutral": neutral,
}


def generate(tokens: Path, kinds: Sequence[str], count: int, seed: int) -> Generated:
    """Generate `count` texts from the train split, equally many of each kind; none if there is no lexicon.

    Args:
        tokens: folder of the tokenize stage.
        kinds: keys of `GENERATORS`.
        count: of all kinds together.
        seed: the same one gives the same texts.
    """
    reviews, labels = _load(tokens, "train")
    vocabulary = _vocabulary(tokens)
    ids = {token: id for id, token in enumerate(vocabulary)}
    lexicon = learn(reviews, labels, vocabulary)
    if lexicon is None:
        print("augmentation: none, as the labels of train are not of opinions in English, or too few", flush=True)
        return Generated([], np.empty(0, dtype=np.float32))
    phrases = collect(([vocabulary[id] for id in review] for review in reviews), lexicon)
    texts = [
        text
        for number, kind in enumerate(kinds)
        for text in islice(
            GENERATORS[kind](Sources(random.Random(f"{seed}, {kind}"), reviews, vocabulary, lexicon, phrases)),
            count // len(kinds) + (number < count % len(kinds)),
        )
    ]
    encoded = [np.array([ids.get(token, UNKNOWN) for token in text.tokens], dtype=np.int32) for text in texts]
    soft = np.array([text.label for text in texts], dtype=np.float32)
    return Generated(encoded, soft.clip(1 - CONFIDENCE, CONFIDENCE))


def spans(tokens: Path, count: int) -> list[np.ndarray]:
    """Token ids of `count` runs of one to three sentences of the unlabeled reviews, for teachers to label.

    They are the same in each call: the stage pseudo_label writes their labels, training reads them.
    """
    reviews, _ = _load(tokens, "unsupervised")
    vocabulary, rng = _vocabulary(tokens), random.Random("spans")
    found: list[np.ndarray] = []
    while len(found) < count:
        review = reviews[rng.randrange(len(reviews))]
        each = list(sentences([vocabulary[id] for id in review]))
        if not each:
            continue
        first = rng.randrange(len(each))
        start = sum(map(len, each[:first]))
        length = sum(map(len, each[first : first + rng.randint(1, 3)]))
        found.append(review[start : start + min(length, 3 * MAX_TOKENS)].copy())
    return found


def texts(tokens: Path, ids: Sequence[np.ndarray]) -> list[str]:
    """The tokens of texts, separated by spaces: models that read raw texts find the same tokens."""
    vocabulary = _vocabulary(tokens)
    return [" ".join(vocabulary[id] for id in text) for text in ids]


def _vocabulary(tokens: Path) -> list[str]:
    """The token of each id."""
    ids = Tokenizer.from_file(str(tokens / "tokenizer.json")).get_vocab()
    return sorted(ids, key=ids.__getitem__)


def _load(tokens: Path, split: str) -> tuple[list[np.ndarray], np.ndarray]:
    reviews = TokenizedReviews(tokens, [split], Encoding(vocab_size=2, max_length=1, truncation="head", padding="post"))
    return [reviews.token_ids(row) for row in range(len(reviews))], reviews.labels
