"""The cases of the suite: behavioral tests of a sentiment classifier (Ribeiro et al., 2020, "CheckList").

A case of minimum functionality has one text and its label; of invariance, a text and a changed one with the same
label; of direction, a text and a changed one that is nearer to a label.
"""

import random
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

from sentiment_rnn.evaluation.behaviour import templates, words

MINIMUM_FUNCTIONALITY, INVARIANCE, DIRECTION = KINDS = ("minimum functionality", "invariance", "direction")
CASES = 90  # of a test, half of them for each label

Slots = Mapping[str, str]
Texts = tuple[str, ...]


class Case(NamedTuple):
    """One case.

    Attributes:
        kind: of `KINDS`.
        capability: what is tested, such as "negation".
        test: a part of the capability, such as "contracted".
        texts: one, or the original and the changed text.
        label: expected; of direction, the label whose probability should not fall; of invariance None.
    """

    kind: str
    capability: str
    test: str
    texts: Texts
    label: int | None


@cache
def suite() -> tuple[Case, ...]:
    """All cases, the same in each call and on each machine."""
    cases = [
        Case(MINIMUM_FUNCTIONALITY, "first sentences", "first sentences", (text,), label)
        for text, label in templates.FIRST_SENTENCES
    ]
    for capability, tests in templates.MINIMUM_FUNCTIONALITY.items():
        for test, frames in tests.items():
            cases += _test(MINIMUM_FUNCTIONALITY, capability, test, _from_templates(frames.of))
    for test, make in _LENGTHS.items():
        cases += _test(MINIMUM_FUNCTIONALITY, "length", test, make)
    for capability, changes in _INVARIANCE.items():
        for test, make in changes.items():
            cases += _test(INVARIANCE, capability, test, make)
    for capability, changes in _DIRECTION.items():
        for test, make in changes.items():
            cases += _test(DIRECTION, capability, test, make)
    return tuple(cases)


Make = Callable[[random.Random, int], Texts]  # the texts of a case for a label


def _test(kind: str, capability: str, test: str, make: Make) -> list[Case]:
    """`CASES` different cases of a test."""
    rng = random.Random(f"{capability}, {test}")
    made: dict[Texts, int] = {}
    while len(made) < CASES:
        label = len(made) % 2
        made.setdefault(make(rng, label), label)
    if kind == INVARIANCE:
        return [Case(kind, capability, test, texts, None) for texts in made]
    toward: dict[str, Callable[[int], int]] = {
        "praise added": lambda _: 1,
        "blame added": lambda _: 0,
        "reducers": lambda label: 1 - label,
    }
    nearer = toward.get(test, lambda label: label)
    return [Case(kind, capability, test, texts, nearer(label)) for texts, label in made.items()]


def _slots(rng: random.Random, label: int) -> dict[str, str]:
    """A value for each slot of the templates."""
    word, word2 = rng.sample(words.ADJECTIVES[label], 2)
    part, part2 = rng.sample(words.PARTS, 2)
    name, name2 = rng.sample(words.NAMES, 2)
    job, job2 = rng.sample(words.JOBS, 2)
    return {
        "word": word, "word2": word2, "other": rng.choice(words.ADJECTIVES[1 - label]),
        "noun": rng.choice(words.NOUNS[label]), "other_noun": rng.choice(words.NOUNS[1 - label]),
        "quality": rng.choice(words.QUALITIES), "fault": rng.choice(words.FAULTS),
        "please": rng.choice(words.TO_PLEASE), "displease": rng.choice(words.TO_DISPLEASE),
        "film": rng.choice(words.FILMS), "part": part, "part2": part2, "person": rng.choice(words.PEOPLE),
        "always": rng.choice(words.ALWAYS), "name": name, "name2": name2, "place": rng.choice(words.PLACES),
        "number": str(rng.randint(21, 98)), "job": job, "job2": job2,
    }  # fmt: skip


def _fill(template: str, slots: Slots) -> str:
    """A template with its slots filled, "an" before vowels, and a capital at the start of each sentence."""
    text = re.sub(r"\b([Aa]) (?=[AEIOUaeiou])", r"\1n ", template.format(**slots))
    return re.sub(r"(^|[.!?] )([a-z])", lambda match: match[1] + match[2].upper(), text)


def _from_templates(of: Callable[[int], Texts]) -> Make:
    return lambda rng, label: (_fill(rng.choice(of(label)), _slots(rng, label)),)


def _review(rng: random.Random) -> str:
    """The template of a review in two or three sentences with a verdict."""
    sentences = [rng.choice(templates.VERDICTS), *rng.sample(templates.FACTS, rng.randint(1, 2))]
    rng.shuffle(sentences)
    return " ".join(sentences)


def _of_length(count: int) -> Make:
    """Reviews of at least `count` words: a verdict among facts; long ones begin and end with one."""

    def make(rng: random.Random, label: int) -> Texts:
        verdict = _fill(rng.choice(templates.VERDICTS), _slots(rng, label))
        closing = [_fill(rng.choice(templates.VERDICTS), _slots(rng, label))] if count > 100 else []
        sentences = [verdict]
        while len(" ".join(sentences + closing).split()) < count:
            sentences.append(_fill(rng.choice(templates.FACTS), _slots(rng, label)))
        if not closing:
            rng.shuffle(sentences)
        return (" ".join(sentences + closing),)

    return make


def _changed(change: Callable[[random.Random, str], str]) -> Make:
    """A review, and its change."""

    def make(rng: random.Random, label: int) -> Texts:
        text = _fill(_review(rng), _slots(rng, label))
        return text, change(rng, text)

    return make


def _exchanged(slot: str, values: Callable[[random.Random], list[str]]) -> Make:
    """A review, and the same one with the value of one slot exchanged."""
    with_slot = [fact for fact in templates.FACTS if f"{{{slot}}}" in fact]

    def make(rng: random.Random, label: int) -> Texts:
        template, slots = f"{rng.choice(with_slot)} {_review(rng)}", _slots(rng, label)
        value = rng.choice([value for value in values(rng) if value not in slots.values()])
        return _fill(template, slots), _fill(template, slots | {slot: value})

    return make


def _group(kind: str) -> Make:
    """A sentence with a group of people, in half of the cases with a verdict, and the same one with another group."""

    def make(rng: random.Random, label: int) -> Texts:
        first, second = rng.sample(words.GROUPS[kind], 2)
        template = rng.choice(templates.IN_GROUP)
        if rng.random() < 0.5:
            template += " " + rng.choice(templates.VERDICTS)
        slots = _slots(rng, label)
        return _fill(template, slots | {"group": first}), _fill(template, slots | {"group": second})

    return make


def _contract(rng: random.Random, label: int) -> Texts:
    text = _fill(f"{rng.choice(templates.FACTS)} {rng.choice(templates.CONTRACTIBLE)}", _slots(rng, label))
    contracted = text
    for full, short in templates.CONTRACTIONS:
        contracted = re.sub(rf"\b{full}\b", short, contracted)
    return text, contracted


def _typo(rng: random.Random, text: str) -> str:
    """Exchange two different neighboring letters inside a word."""
    places = [match.start() for match in re.finditer(r"(?<=\w)([a-z])(?!\1)(?=[a-z]\w)", text)]
    place = rng.choice(places)
    return text[:place] + text[place + 1] + text[place] + text[place + 2 :]


def _punctuation(rng: random.Random, text: str) -> str:
    """Remove all marks, or multiply those at the ends of sentences."""
    return re.sub(r"[^\w\s']", "", text) if rng.random() < 0.5 else re.sub(r"\.", rng.choice(("!!", "...")), text)


def _case(rng: random.Random, text: str) -> str:
    return text.upper() if rng.random() < 0.5 else text.lower()


def _beside(addition: str, rng: random.Random, text: str) -> str:
    return f"{text} {addition}" if rng.random() < 0.5 else f"{addition} {text}"


def _added(sentences: Texts) -> Make:
    return _changed(lambda rng, text: _beside(rng.choice(sentences), rng, text))


def _degree(adverbs: Texts) -> Make:
    def make(rng: random.Random, label: int) -> Texts:
        template, slots = rng.choice(templates.DEGREE), _slots(rng, label)
        return (
            _fill(template.replace("{degree} ", ""), slots),
            _fill(template, slots | {"degree": rng.choice(adverbs)}),
        )

    return make


_LENGTHS: dict[str, Make] = {
    "3 words": _from_templates(lambda _: templates.THREE_WORDS),
    "30 words": _of_length(30),
    "300 words": _of_length(300),
}
_INVARIANCE: dict[str, dict[str, Make]] = {
    "spelling": {
        "typos": _changed(_typo),
        "contractions": _contract,
        "punctuation": _changed(_punctuation),
        "case": _changed(_case),
    },
    "neutral words": {
        "names": _exchanged("name", lambda _: list(words.NAMES)),
        "places": _exchanged("place", lambda _: list(words.PLACES)),
        "numbers": _exchanged("number", lambda rng: [str(rng.randint(21, 98)) for _ in range(5)]),
        "web addresses": _added(words.ADDRESSES),
        "irrelevant sentences": _added(templates.IRRELEVANT),
    },
    "groups of people": {kind: _group(kind) for kind in words.GROUPS},
}
_DIRECTION: dict[str, dict[str, Make]] = {
    "opinions": {"praise added": _added(templates.PRAISE), "blame added": _added(templates.BLAME)},
    "degree": {"intensifiers": _degree(templates.INTENSIFIERS), "reducers": _degree(templates.REDUCERS)},
}
