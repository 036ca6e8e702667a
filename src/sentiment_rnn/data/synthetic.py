"""Synthetic film reviews whose sentiment depends on word order and on long-range dependencies.

The reviews come from a seeded grammar and need no download. A bag of words cannot classify them well: most opinions
have a form in which positive and negative words are equally frequent in both classes, such as contrasts ("dull, but
..."), comparisons, opinions of other people, and passages that count or not depending on one sentence before or after
them. The remaining opinions are plain statements, which make a bag of words better than chance.
"""

import random
import re

from sentiment_rnn.data.corpus import TOKEN

GOOD = (
    "great", "superb", "brilliant", "moving", "funny", "gripping", "charming", "lovely", "clever", "fresh",
    "warm", "excellent", "delightful", "memorable", "touching", "thrilling", "wonderful", "elegant", "tender",
    "beautiful",
)  # fmt: skip
BAD = (
    "dull", "awful", "tedious", "clumsy", "boring", "lifeless", "predictable", "shallow", "terrible", "weak",
    "silly", "dreadful", "tiresome", "forgettable", "stupid", "painful", "hollow", "sloppy", "annoying",
    "ugly",
)  # fmt: skip
FILMS = ("film", "movie", "picture", "drama", "comedy", "thriller", "western", "story")
PARTS = ("acting", "script", "music", "camera work", "dialogue", "editing", "plot", "cast", "ending")
PEOPLE = ("brother", "neighbor", "sister", "boss", "dentist", "cousin", "roommate", "teacher", "uncle")
NAMES = ("Harlan", "Mirela", "Otto", "Quincy", "Delphine", "Barnaby", "Ingrid", "Tomas", "Lucille", "Wendell")
JOBS = ("sailor", "baker", "detective", "nurse", "farmer", "pianist", "clerk", "soldier", "widow", "driver")
PLACES = ("harbor", "village", "desert", "suburb", "hotel", "mountain pass", "railway station", "school")
THINGS = ("letter", "suitcase", "map", "horse", "photograph", "violin", "key", "boat", "telephone", "ring")
TIMES = ("one winter", "in 1948", "after the war", "last Tuesday", "at midnight", "by the end")

FACTS = (
    "{name} plays a {job} who lives near a {place}.",
    "{Time}, {name} finds a {thing} and takes it to the {place}.",
    "The {job} leaves the {place} with a {thing}.",
    "It was shot in and around a {place} over {number} weeks.",
    "I saw it with {number} other people in the room.",
    "It runs for about {number} minutes, credits included.",
    "{name} and {name2} travel from the {place} to the {place2}.",
    "There is a scene with a {thing}, a {job} and a {job2}.",
    "The {thing} turns up again {time}.",
    "{name} was {number} years old when the shooting began.",
    "Most of it takes place in a {place}.",
    "{name} sells the {thing} to a {job} {time}, and {name2} hears of it.",
    "The director also made a series about a {job} in {number} parts.",
    "We meet the {job} {time}.",
    "Then {name} walks to the {place}, where the {job} is waiting with the {thing}.",
)

# A sentence before or after a passage names whose opinion it is; only the reviewer's own counts.
OTHERS_OPEN = (
    "Here is what my {person} says.",
    "The critics wrote this.",
    "This is what the trailer promised.",
    "Let me quote my {person} first.",
    "The book it comes from was like this.",
    "Now for the minor points.",
)
MINE_OPEN = (
    "Here is what I say.",
    "My own view is this.",
    "This is what I saw.",
    "Let me speak for myself.",
    "The film itself was like this.",
    "Now for what really matters.",
)
OTHERS_CLOSE = ("So says my {person}.", "So the critics think.", "That was the trailer.", "End of quote.")
MINE_CLOSE = ("So say I.", "That is what I think.", "That was the film itself.", "I stand by that.")
EARNEST = ("I mean every word of this.", "There is no irony here.", "I write this in all seriousness.")
IRONIC = ("I mean the opposite of this.", "There is only irony here.", "I write this tongue in cheek.")
PLAIN = (
    "It is {a_word} {film}.",
    "The {part} is {word}.",
    "I found it {word}.",
    "What {a_word} {film}!",
    "{Word} from start to finish.",
    "A truly {word} {film}.",
    "I thought the {part} was {word} and the {part2} was {word2}.",
)
DENIED = (
    "It is not {a_word} {film}.",
    "The {part} is never {word}.",
    "I did not find it {word}.",
    "Hardly {a_word} {film}!",
    "Not {word} at all.",
    "It is anything but {word}.",
    "Nobody could call the {part} {word} or the {part2} {word2}.",
)
# In the next three, {word} has the sentiment of the sentence and {other} the opposite one.
CONTRASTS = (
    "The {part} was {other}, but the {film} is {word}.",
    "Although the {part} was {other}, the {film} is {word}.",
    "It is {a_word} {film}, even if the {part} is {other}.",
    "{Other} {part}, yes, and yet {a_word} {film}.",
    "Despite the {other} {part}, I call it {word}.",
)
EXPECTATIONS = (
    "I expected {an_other} {film} and got {a_word} one.",
    "Instead of the {other} {film} I had feared or hoped for, I saw {a_word} one.",
    "The poster promised something {other}; what I got was {word}.",
    "It turned out {word}, after all the talk of {an_other} {film}.",
)
COMPARISONS = (
    "Unlike the {other} first part, this one is {word}.",
    "Next to this {word} {film}, its predecessor looks {other}.",
    "The remake was {other}; the original, this one, is {word}.",
    "His last {film} was {other}, this is {word}.",
)
HEARSAY = (
    "My {person} called it {word}.",
    "The critics found the {part} {word}.",
    'The poster says "{word}", with a star.',
    "My {person} told everyone how {word} it was.",
)
REFUTED = ("They are wrong.", "I disagree.", "That is nonsense.", "I cannot see it.")
CONFIRMED = ("They are right.", "I agree.", "That is the truth.", "I can see it.")


def _fact(rng: random.Random) -> str:
    """One sentence without an opinion."""
    time = rng.choice(TIMES)
    name, name2 = rng.sample(NAMES, 2)
    job, job2 = rng.sample(JOBS, 2)
    place, place2 = rng.sample(PLACES, 2)
    return rng.choice(FACTS).format(
        name=name, name2=name2, job=job, job2=job2, place=place, place2=place2, thing=rng.choice(THINGS),
        time=time, Time=time[0].upper() + time[1:], number=rng.randint(21, 99),
    )  # fmt: skip


def _fill(rng: random.Random, templates: tuple[str, ...], positive: bool) -> str:
    """One sentence in which {word} has the given sentiment and {other} the opposite one."""
    same, opposite = (GOOD, BAD) if positive else (BAD, GOOD)
    word, word2 = rng.sample(same, 2)
    other = rng.choice(opposite)
    part, part2 = rng.sample(PARTS, 2)
    return rng.choice(templates).format(
        word=word, Word=word.capitalize(), a_word=_with_article(word), word2=word2,
        other=other, Other=other.capitalize(), an_other=_with_article(other),
        film=rng.choice(FILMS), part=part, part2=part2, person=rng.choice(PEOPLE),
    )  # fmt: skip


def _with_article(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def _statement(rng: random.Random, positive: bool) -> str:
    """A plain statement, or a denial of the opposite; the plain ones are more frequent, as in real reviews."""
    return _fill(rng, PLAIN, positive) if rng.random() < 0.75 else _fill(rng, DENIED, not positive)


def _others(rng: random.Random, positive: bool) -> str:
    """Someone else's opinion, confirmed or refuted."""
    if rng.random() < 0.5:
        return f"{_fill(rng, HEARSAY, positive)} {rng.choice(CONFIRMED)}"
    return f"{_fill(rng, HEARSAY, not positive)} {rng.choice(REFUTED)}"


def _opinion(rng: random.Random, positive: bool) -> str:
    """One opinion, in one or two sentences, whose sentiment does not depend on the rest of the review."""
    kind = rng.random()
    if kind < 0.6:
        return _statement(rng, positive)
    if kind < 0.7:
        return _others(rng, positive)
    return _fill(rng, CONTRASTS + EXPECTATIONS + COMPARISONS, positive)


def _facts(rng: random.Random, mean: float) -> list[str]:
    """Facts; their number has a long right tail, as the lengths of real reviews have."""
    return [_fact(rng) for _ in range(1 + int(rng.expovariate(1 / mean)))]


def _local(rng: random.Random, positive: bool) -> list[str]:
    """Opinions that do not depend on each other, among facts and opinions of other people."""
    sentences = [_opinion(rng, positive) for _ in range(rng.randint(1, 3))]
    sentences += [_fill(rng, HEARSAY, rng.random() < 0.5) for _ in range(rng.randint(0, 1))]
    sentences += _facts(rng, 2)
    rng.shuffle(sentences)
    return sentences


def _passages(rng: random.Random, positive: bool) -> list[str]:
    """Two passages that contradict each other; a sentence before or after each tells which one counts."""
    size = rng.randint(1, 3)
    opened = rng.random() < 0.5
    # sometimes the reviewer's passage has one more opinion: a cue for a bag of words
    extra = 1 if rng.random() < 0.4 else 0
    passages = []
    for mine in (True, False):
        opinions = size + extra if mine else size
        body = [_fill(rng, PLAIN, positive == mine) for _ in range(opinions)] + _facts(rng, 1)
        rng.shuffle(body)
        if opened:
            body.insert(0, _fill(rng, MINE_OPEN if mine else OTHERS_OPEN, positive))
        else:
            body.append(_fill(rng, MINE_CLOSE if mine else OTHERS_CLOSE, positive))
        passages.append(body)
    rng.shuffle(passages)
    return passages[0] + passages[1]


def _framed(rng: random.Random, positive: bool) -> list[str]:
    """A first sentence that keeps or reverses the sentiment of all that follow."""
    earnest = rng.random() < 0.6
    body = [_fill(rng, PLAIN, positive == earnest) for _ in range(rng.randint(1, 3))] + _facts(rng, 2)
    rng.shuffle(body)
    return [rng.choice(EARNEST if earnest else IRONIC), *body]


def _mixed(rng: random.Random, positive: bool) -> str:
    """A review of the mixture: in about two thirds sentiment is decided within sentences, in the rest across them."""
    kind = rng.random()
    construction = _local if kind < 0.65 else _passages if kind < 0.9 else _framed
    sentences = construction(rng, positive)
    text = sentences[0]
    for sentence in sentences[1:]:
        text += ("<br /><br />" if rng.random() < 0.1 else " ") + sentence
    return text


def _long_range(rng: random.Random, positive: bool, dependency_length: int) -> str:
    """A verdict, whose sentiment depends on word order, then exactly `dependency_length` tokens of facts."""
    text = _fill(rng, CONTRASTS, positive)
    while dependency_length > 0:
        fact = _fact(rng)
        ends = [token.end() for token in re.finditer(TOKEN, fact)][:dependency_length]
        text += " " + fact[: ends[-1]]
        dependency_length -= len(ends)
    return text


def generate(count: int, *, seed: int, dependency_length: int | None = None) -> tuple[list[str], list[int]]:
    """Generate `count` reviews with their labels, half of them positive.

    Args:
        count: number of reviews; an odd one gives one more negative than positive.
        seed: the same arguments give the same reviews.
        dependency_length: None: the mixture of all constructions. A number, for the long-range task: every review is a
            verdict followed by that many tokens without an opinion, so that a left-to-right model that predicts from
            its last state must remember the verdict for that many steps. Pooling over the states, or a backward
            direction, avoids the dependency.

    Returns:
        The texts, with `<br /><br />` at some paragraph breaks, and their labels: 1 is positive, 0 negative.

    Raises:
        ValueError: `count` or `dependency_length` is below 1.
    """
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count}")
    if dependency_length is not None and dependency_length < 1:
        raise ValueError(f"dependency_length must be at least 1 token, got {dependency_length}")
    # a string seeds the whole state of the generator, the same on all platforms
    rng = random.Random(f"{seed} {dependency_length}")
    labels = [index % 2 for index in range(count)]
    rng.shuffle(labels)
    if dependency_length is None:
        return [_mixed(rng, label == 1) for label in labels], labels
    return [_long_range(rng, label == 1, dependency_length) for label in labels], labels
