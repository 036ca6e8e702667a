"""Invented film reviews whose sentiment depends on the order and the distance of words.

The offline stand-in for a real review corpus: a seeded grammar, so it needs no download, and a diagnostic,
because counting words does not solve it. Most opinions come in forms in which praise and blame occur equally
often in both classes: contrast ("dull, but ..."), comparison, the views of other people, and whole passages
of which a single line, before or after, says whether they count. What is left for a bag of words is a lean,
as in real reviews, towards saying plainly what one means.
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
PEOPLE = ("brother", "neighbour", "sister", "boss", "dentist", "cousin", "roommate", "teacher", "uncle")
NAMES = ("Harlan", "Mirela", "Otto", "Quincy", "Delphine", "Barnaby", "Ingrid", "Tomas", "Lucille", "Wendell")
JOBS = ("sailor", "baker", "detective", "nurse", "farmer", "pianist", "clerk", "soldier", "widow", "driver")
PLACES = ("harbour", "village", "desert", "suburb", "hotel", "mountain pass", "railway station", "school")
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

# A line before or after a passage says whose view it is, and that alone tells whether it counts.
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
    """One sentence in which {word} has the wanted sentiment and {other} the opposite one."""
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
    """Say it plainly or by denying the opposite; an even split would leave a bag of words nothing at all."""
    return _fill(rng, PLAIN, positive) if rng.random() < 0.75 else _fill(rng, DENIED, not positive)


def _others(rng: random.Random, positive: bool) -> str:
    """Someone else's opinion, confirmed or refuted."""
    if rng.random() < 0.5:
        return f"{_fill(rng, HEARSAY, positive)} {rng.choice(CONFIRMED)}"
    return f"{_fill(rng, HEARSAY, not positive)} {rng.choice(REFUTED)}"


def _opinion(rng: random.Random, positive: bool) -> str:
    """One sentence (or two) that can be understood on its own."""
    kind = rng.random()
    if kind < 0.6:
        return _statement(rng, positive)
    if kind < 0.7:
        return _others(rng, positive)
    return _fill(rng, CONTRASTS + EXPECTATIONS + COMPARISONS, positive)


def _facts(rng: random.Random, mean: float) -> list[str]:
    """Facts, their number skewed to the right as the lengths of real reviews are."""
    return [_fact(rng) for _ in range(1 + int(rng.expovariate(1 / mean)))]


def _local(rng: random.Random, positive: bool) -> list[str]:
    """Opinions that are each decided within a sentence, among facts and what other people think."""
    sentences = [_opinion(rng, positive) for _ in range(rng.randint(1, 3))]
    sentences += [_fill(rng, HEARSAY, rng.random() < 0.5) for _ in range(rng.randint(0, 1))]
    sentences += _facts(rng, 2)
    rng.shuffle(sentences)
    return sentences


def _passages(rng: random.Random, positive: bool) -> list[str]:
    """Two passages that contradict each other; a line before or after each tells which one counts."""
    size = rng.randint(1, 3)
    opened = rng.random() < 0.5
    # At times the reviewer says a little more than the others do: part of the lean the words have.
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
    """A first line that decides how everything after it is to be read."""
    earnest = rng.random() < 0.6
    body = [_fill(rng, PLAIN, positive == earnest) for _ in range(rng.randint(1, 3))] + _facts(rng, 2)
    rng.shuffle(body)
    return [rng.choice(EARNEST if earnest else IRONIC), *body]


def _natural(rng: random.Random, positive: bool) -> str:
    """A review of the mix: about two thirds are decided within sentences, the rest across them."""
    kind = rng.random()
    construction = _local if kind < 0.65 else _passages if kind < 0.9 else _framed
    sentences = construction(rng, positive)
    text = sentences[0]
    for sentence in sentences[1:]:
        text += ("<br /><br />" if rng.random() < 0.1 else " ") + sentence
    return text


def _spaced(rng: random.Random, positive: bool, distance: int) -> str:
    """A verdict that the order of its words gives away, then exactly `distance` tokens of facts."""
    text = _fill(rng, CONTRASTS, positive)
    while distance > 0:
        fact = _fact(rng)
        ends = [token.end() for token in re.finditer(TOKEN, fact)][:distance]
        text += " " + fact[: ends[-1]]
        distance -= len(ends)
    return text


def generate(count: int, *, seed: int, distance: int | None = None) -> tuple[list[str], list[int]]:
    """Write `count` invented reviews with their labels, half of them positive.

    Args:
        count: How many reviews. An odd count has one more negative than positive.
        seed: The same arguments give the same reviews; another seed gives other ones.
        distance: None for the natural mix of constructions. A number makes every review a verdict followed by
            that many tokens without an opinion: a model that reads from left to right and answers from its
            last state has to remember the verdict for so long. (Pooling over the states, or reading backwards
            too, avoids that, so a measurement of memory wants neither.)

    Returns:
        The texts, with `<br /><br />` at some paragraph breaks, and their labels: 1 is positive, 0 negative.

    Raises:
        ValueError: `count` or `distance` is below 1.
    """
    if count < 1:
        raise ValueError(f"count must be at least 1, got {count}")
    if distance is not None and distance < 1:
        raise ValueError(f"distance must be at least 1 token, got {distance}")
    # A string seeds every bit of the generator and is the same on all platforms.
    rng = random.Random(f"{seed} {distance}")
    labels = [index % 2 for index in range(count)]
    rng.shuffle(labels)
    if distance is None:
        return [_natural(rng, label == 1) for label in labels], labels
    return [_spaced(rng, label == 1, distance) for label in labels], labels
