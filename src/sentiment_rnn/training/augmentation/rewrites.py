"""Rewrites of sentences by rules that turn their polarity: a sentence and its counterpart, with opposite labels."""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, pairwise
from typing import NamedTuple

from sentiment_rnn.evaluation.behaviour.words import POLAR
from sentiment_rnn.evaluation.slices import CONTRAST, is_negation
from sentiment_rnn.training.augmentation.lexicon import Lexicon

MAX_TOKENS = 30  # of a sentence
COPULAS = {"is": "isn't", "was": "wasn't", "are": "aren't", "were": "weren't"}
OPPOSITES = 5  # nearest ones, of which one is chosen

Sentence = list[str]


class LabeledText(NamedTuple):
    """Tokens, and the probability of "positive" to learn."""

    tokens: Sentence
    label: float


def sentences(review: Sequence[str]) -> Iterator[Sentence]:
    """The sentences of a review, with the mark at the end."""
    start = 0
    for position, token in enumerate(review, 1):
        if token in (".", "!", "?"):
            yield list(review[start:position])
            start = position


def polarity(sentence: Sentence, lexicon: Lexicon) -> int | None:
    """The label of a sentence whose adjectives have one polarity; None if they have none or both, or are negated.

    The words that the behaviour suite tests are not taught: a sentence with one of them has no polarity either.
    """
    if not POLAR.isdisjoint(sentence) or any(is_negation(token) or token in CONTRAST for token in sentence):
        return None
    labels = {int(lexicon.ratio[token] > 0) for token in sentence if token in lexicon.ratio}
    return labels.pop() if len(labels) == 1 else None


def negate(sentence: Sentence, lexicon: Lexicon, rng: random.Random) -> list[LabeledText]:
    """Insert a negation before an adjective that follows a form of "be"; the sentence, and the negated one."""
    label = polarity(sentence, lexicon)
    places = [i for i, pair in enumerate(pairwise(sentence)) if pair[0] in COPULAS and pair[1] in lexicon.ratio]
    if label is None or not places:
        return []
    before, copula, after = sentence[: places[0]], sentence[places[0]], sentence[places[0] + 1 :]
    negations = ([copula, "not"], [COPULAS[copula]], [copula, "never"], [copula, "hardly"])
    return _pair(sentence, before + rng.choice(negations) + after, label)


def affirm(sentence: Sentence, lexicon: Lexicon, rng: random.Random) -> list[LabeledText]:
    """Remove the only negation of a sentence, which precedes an adjective; the sentence, and the one without it."""
    full = {short: copula for copula, short in COPULAS.items()}
    places = [
        i for i, token in enumerate(sentence[:-1]) if token in ("not", *full) and sentence[i + 1] in lexicon.ratio
    ]
    if len(places) != 1:
        return []
    place = places[0]
    plain = sentence[:place] + ([full[sentence[place]]] if sentence[place] in full else []) + sentence[place + 1 :]
    label = polarity(plain, lexicon)
    return [] if label is None else _pair(plain, sentence, label)


def exchange(sentence: Sentence, lexicon: Lexicon, rng: random.Random) -> list[LabeledText]:
    """Exchange each adjective for one of the nearest of the opposite polarity."""
    label = polarity(sentence, lexicon)
    if label is None:
        return []
    changed = [
        rng.choice(lexicon.opposites(token, OPPOSITES)) if token in lexicon.ratio else token for token in sentence
    ]
    return _pair(sentence, changed, label)


def swap(sentence: Sentence, lexicon: Lexicon, rng: random.Random) -> list[LabeledText]:
    """Swap two clauses of opposite polarity around a "but": the second one counts."""
    if sentence.count("but") != 1:
        return []
    place = sentence.index("but")
    first, second = _stripped(sentence[:place]), _stripped(sentence[place + 1 :])
    labels = polarity(first, lexicon), polarity(second, lexicon)
    if None in labels or labels[0] == labels[1]:
        return []
    return _pair([*first, ",", "but", *second, "."], [*second, ",", "but", *first, "."], int(labels[1] == 1))


RULES: tuple[Callable[[Sentence, Lexicon, random.Random], list[LabeledText]], ...] = (negate, affirm, exchange, swap)


def rewritten(reviews: Iterable[Sequence[str]], lexicon: Lexicon, rng: random.Random) -> Iterator[LabeledText]:
    """Sentences to which a rule applies, each followed by its counterpart."""
    for sentence in chain.from_iterable(map(sentences, reviews)):
        if len(sentence) <= MAX_TOKENS and (
            pairs := [pair for rule in RULES if (pair := rule(sentence, lexicon, rng))]
        ):
            yield from rng.choice(pairs)


def _pair(sentence: Sentence, counterpart: Sentence, label: int) -> list[LabeledText]:
    return [LabeledText(sentence, float(label)), LabeledText(counterpart, float(1 - label))]


def _stripped(clause: Sentence) -> Sentence:
    """A clause without the marks around it."""
    while clause and not clause[0].isalnum():
        clause = clause[1:]
    while clause and not clause[-1].isalnum():
        clause = clause[:-1]
    return clause
