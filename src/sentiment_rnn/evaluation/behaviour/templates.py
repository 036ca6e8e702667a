"""The suite's templates, by capability and test.

In a template {word} and {word2} are adjectives with the expected label, {other} is one with the opposite label, {noun}
and {other_noun} are nouns. The article "a" becomes "an" where it should. The other slots have no polarity.
"""

from typing import NamedTuple


class Templates(NamedTuple):
    """Templates for cases of both labels, or of one alone."""

    both: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    positive: tuple[str, ...] = ()

    def of(self, label: int) -> tuple[str, ...]:
        """Those for a label."""
        return self.both + (self.positive if label else self.negative)


MINIMUM_FUNCTIONALITY: dict[str, dict[str, Templates]] = {
    "vocabulary": {
        "alone": Templates(("{word}", "{word}!", "{word}.", "{word}, {word2}", "{word} {film}", "a {noun}.")),
        "in a sentence": Templates((
            "The {part} is {word}.", "a {word} {film}.", "I found the {part} {word}.", "What a {word} {film} this is!",
            "This {film} is {word} and {word2}.", "We saw a {word} {film} last night.", "The {film} was a {noun}.",
            "All of the {part} struck me as {word}.",
        )),
    },
    "negation": {
        "near": Templates((
            "The {part} is not {other}.", "This {film} was not {other} at all.", "Not a {other} {film}.",
            "The {film} is never {other}.", "It is by no means {other}.", "There is nothing {other} about the {part}.",
            "At no point is the {film} {other}.", "Not for one minute was the {part} {other}.",
            "It is not a {other} {film}.", "No, the {part} is not {other}.",
        )),
        "contracted": Templates((
            "The {part} isn't {other}.", "It wasn't {other}.", "This {film} isn't {other} at all.",
            "I didn't find the {part} {other}.", "The {part} and the {part2} weren't {other}.",
            "You can't call this {film} {other}.", "That wasn't a {other} {film}.", "It doesn't feel {other}.",
            "I wouldn't call the {part} {other}.",
        )),
        "far": Templates((
            "I do not think, {always}, that the {part} or the {part2} was {other}.",
            "I would not tell {person} that this {film} was {other}.",
            "Neither the {part} nor, as far as I could see, the {part2} was {other}.",
            "It is not the case that the {part}, which takes up half of the {film}, is {other}.",
            "I don't believe that anybody who sits through the whole {film} would find it {other}.",
            "Nobody who knows the other work of this director could think that the {part} is {other}.",
            "At no time during these two hours did the {part} or the {part2} seem {other} to me.",
            "I can't remember one scene that was {other}.",
        )),
        "double": Templates((
            "It is not true that the {part} isn't {word}.", "Nobody can deny that this {film} is {word}.",
            "I would never claim that the {part} was not {word}.", "There is no scene that is not {word}.",
            "I can't say that it wasn't {word}.", "You cannot not find the {part} {word}.",
            "Not once was the {part} less than {word}.", "There is no denying how {word} the {film} is.",
        )),
        "by a verb": Templates(
            both=(
                "The {part} is far from {other}.", "This {film} is anything but {other}.",
                "The {film} stops well short of being {other}.", "The {part} refuses to be {other}.",
                "I fail to see what is {other} about the {part}.", "Calling the {part} {other} would be a lie.",
            ),
            negative=(
                "The {film} fails to {please}.", "The {part} lacks {quality}.", "This {film} lacks any {quality}.",
                "The {part} never manages to {please} us.", "It fails to be {other}.",
                "The {part} is devoid of {quality}.",
                "The director failed to give the {film} {quality}.", "The {part} refuses to {please}.",
            ),
            positive=(
                "The {film} avoids all {fault}.", "The {part} never threatens to {displease} us.",
                "This {film} is free of {fault}.", "The {film} escapes being {other}.",
                "The {part} does without any {fault}.", "It declines to {displease} its audience.",
                "The director kept the {film} from being {other}.",
            ),
        ),
        "by an adverb": Templates((
            "The {part} is hardly {other}.", "This is scarcely a {other} {film}.", "Hardly a {other_noun}.",
            "It was rarely {other}.", "Barely {other}, this {film}.", "The {film} is hardly a {other_noun}.",
            "Seldom was the {part} {other}.",
        )),
    },
    "litotes": {
        "litotes": Templates(
            negative=(
                "Not exactly a {other_noun}.", "It will not be remembered as a {other_noun}.",
                "Let us say that the {part} was not the most {other} one I know.", "Not my idea of a {other_noun}.",
                "The {part} is no {other_noun}.", "Well, {other} it is not.", "It is less than {other}.",
            ),
            positive=(
                "Not bad at all.", "The {part} is not without {quality}.", "Not a {other} moment in the {film}.",
                "I can't complain about the {part}.", "You could do a lot worse than this {film}.",
                "The {part} was no {other_noun}.", "{other} it is not.", "Never a {other} moment.",
                "I didn't mind the {part} in the least, quite the opposite.",
                "The {film} is not without its {quality}.",
            ),
        ),
    },
    "contrast": {
        "but": Templates((
            "The {part} was {other}, but the {film} is {word}.", "{other} {part}, but a {word} {film}.",
            "It may sound {other}, but it is {word}.", "The first half is {other}, but then the {film} gets {word}.",
            "I know that it looks {other}, but trust me, it is {word} and {word2}.",
            "The {part} is {other}, yet on the whole I find this {film} {word}.",
            "The {part} is {other}; the {film}, however, is {word}.",
        )),
        "although": Templates((
            "Although the {part} was {other}, the {film} is {word}.",
            "The {film} is {word}, although the {part} is {other}.",
            "Even though the {part} is {other}, this is a {word} {film}.",
            "It is {word}, even if the {part} seems {other}.",
            "Though {other} in places, the {film} is {word} overall.",
            "While the {part} is {other}, the {film} as a whole is {word}.",
        )),
        "despite": Templates((
            "Despite a {other} {part}, the {film} is {word}.",
            "In spite of its {other} {part} this is a {word} {film}.",
            "The {film} is {word} in spite of a {other} {part}.",
            "Notwithstanding the {other} {part}, I call the {film} {word}.",
            "a {word} {film} despite the {other} {part}.", "For all its {other} moments, the {film} is {word}.",
        )),
    },
    "time": {
        "used to": Templates((
            "I used to think that this {film} was {other}, but now it seems {word} to me.",
            "The series used to be {other}, now it is {word}.", "What used to be {other} is {word} today.",
            "As a child I thought it {other}; today I find it {word}.",
            "Years ago it seemed {other}, by now it is {word}.",
            "In the past I found his work {other}, but this time it is {word}.",
        )),
        "no longer": Templates((
            "The {part} is no longer {other}.", "I don't find this {film} {other} any more.",
            "It is not {other} any longer.",
            "The {film} has stopped being {other}.", "Gone are the days when I thought that it was {other}.",
            "After all these years the {part} has ceased to be {other}.",
        )),
    },
    "expectation": {
        "expectation": Templates((
            "I expected a {other} {film} and got a {word} one.",
            "I thought that it would be {other}, and it was {word}.",
            "It could have been {other}; instead it is {word}.", "The trailer looked {other}, the {film} is {word}.",
            "I went in thinking that it would be {other} and came out thinking how {word} it was.",
            "It should have been {other}. It was {word}.",
            "Everything pointed to a {other} {film}, and then it was {word}.",
            "I thought the {part} was going to be {other}, but it wasn't.",
        )),
    },
    "other people": {
        "other people": Templates((
            "{person} found it {other}; I found it {word}.",
            "{person} may call it {other}, but I think that it is {word}.",
            "Unlike {person}, who thinks that the {part} is {other}, I consider it {word}.",
            "I disagree with {person} that the {film} is {other}.",
            "For the critics it is {other}; to me it is {word}.",
            "They told me that it was {other}. They were wrong.", "{person} calls this {film} {other}. I can't agree.",
            "Do not listen to {person}, who finds it {other}: it is {word}.",
        )),
    },
    "questions": {
        "questions and answers": Templates(
            both=(
                "Is it {word}? Yes.", "Is it {other}? No.", "Was the {part} {other}? Not at all.",
                "Did I find it {other}? Not for a minute.", "Do I think that the {film} is {word}? Absolutely.",
                "Is this a {other} {film}? Far from it.", "Would I call the {part} {other}? Never.",
                "Is the {film} {other} or {word}? {word}, of course.",
                "What is {other} about it? Nothing.",
            ),
            negative=("Would I see it again? No.", "Do I recommend the {film}? I don't.",),
            positive=("Would I see it again? Any time.", "Do I recommend the {film}? I do."),
        ),
    },
}  # fmt: skip

# What the length tests surround with FACTS, and invariance and direction tests change: reviews with a clear verdict.
VERDICTS = (
    "The {film} is {word}.", "This is a {word} {film}.", "I found it {word} and {word2}.",
    "The {part} is {word}, and so is the {part2}.", "What a {word} {film}.", "It was {word} from the first scene on.",
)  # fmt: skip
THREE_WORDS = (
    "Really {word} {film}.",
    "a {noun}, really.",
    "So {word}, everything.",
    "It is {word}.",
    "{word} and {word2}.",
)
FACTS = (  # without an opinion
    "{name} plays a {job} from {place}.", "It was filmed in {place} over {number} days.",
    "The story begins in {place} in the summer of 19{number}.", "{name} meets {name2} on a train to {place}.",
    "There are {number} scenes in the rain.", "I watched it at home on a Sunday.",
    "Halfway through, the {job} travels to {place} to look for {name}.",
    "The running time is a little over {number} minutes.", "{name} was {number} when it was made.",
    "It is based on a novel about a {job} and a {job2}.", "The camera follows {name} through the streets of {place}.",
    "The cinema in {place} has {number} seats.", "{name2} arrives with a suitcase and asks for {name}.",
    "A letter from {place} reaches the {job} in the last reel.",
)  # fmt: skip
IRRELEVANT = (
    "It was raining outside.", "The disc came in a blue box.", "I had tea with it.", "The trains were late that day.",
    "We sat in row seven.", "My bicycle is green.", "It is Tuesday today.", "The shop closes at six.",
)  # fmt: skip
CONTRACTIBLE = (  # the second form of each pair of CONTRACTIONS in place of the first
    "It is {word}, and I do not write that often.", "I did not know the novel. That is a {word} {film}.",
    "I have not seen the others. I think they are {word}, too.", "I am sure: it is {word}.",
    "You will find it {word}. I could not follow {name}'s accent.", "There is a {word} {film} in {place}.",
)  # fmt: skip
CONTRACTIONS = (
    ("It is", "It's"), ("it is", "it's"), ("do not", "don't"), ("did not", "didn't"), ("That is", "That's"),
    ("have not", "haven't"), ("they are", "they're"), ("I am", "I'm"), ("You will", "You'll"), ("could not",
    "couldn't"),
    ("There is", "There's"),
)  # fmt: skip
IN_GROUP = (  # {group} is exchanged; without an opinion
    "The main character is a {group} {job} in {place}.", "{name} plays a {group} {job}.",
    "The story is about a {group} {job} and a {job2}.", "In the next scene a {group} {job} opens the door.",
    "I watched it with a {group} friend of mine.", "The director is {group}.",
)  # fmt: skip

PRAISE = ("I loved it.", "It is wonderful.", "Highly recommended!", "One of the best I know.", "A perfect film.")
BLAME = ("I hated it.", "It is awful.", "Stay away from it!", "One of the worst I know.", "A waste of time.")
INTENSIFIERS = ("very", "extremely", "incredibly", "absolutely", "truly", "exceptionally", "thoroughly", "so very")
REDUCERS = ("slightly", "somewhat", "a bit", "fairly", "a little", "only moderately", "vaguely", "more or less")
DEGREE = (  # {degree} is left out in the original
    "The {part} is {degree} {word}.", "I found this {film} {degree} {word}.", "The {film} was {degree} {word}.",
    "It felt {degree} {word}.",
)  # fmt: skip

# What people type first, with its label.
FIRST_SENTENCES = (
    ("Not bad at all.", 1), ("This movie is not bad.", 1), ("It was never boring.", 1), ("It wasn't terrible.", 1),
    ("I would not say it was boring.", 1), ("It isn't great.", 0), ("Hardly a masterpiece.", 0),
    ("I used to love this film, but now I find it boring.", 0),
)  # fmt: skip
