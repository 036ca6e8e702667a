"""Frames of generated sentences, in lower case tokens. They share nothing with the behaviour suite.

{word} is an adjective with the label of the sentence, {other} one with the opposite label; both come from train.
"""

FRAMES = (
    # plain
    "{word}", "{word} stuff", "pretty {word}", "just {word} .", "really {word} work by all involved", "so {word} !",
    "my verdict : {word} .", "the thing as a whole is {word}", "{word} acting , {word2} story", "one word : {word} .",
    # negation, near and contracted
    "not {other}", "it's not {other}", "that's not {other} at all", "this one is not {other} , trust me",
    "the acting was not so {other}", "there wasn't anything {other} in it", "the story isn't all that {other}",
    "it ain't {other}", "they aren't {other} here", "i never found any of this {other}", "nothing {other} here .",
    "no {other} acting , no {other2} story", "never {other}", "not in the least {other} .",
    "it won't strike you as {other}",
    # negation, far and double
    "i doubt that anyone will find this {other}", "no one in the room thought of it as {other}",
    "don't let anyone persuade you that the story is {other}", "i wouldn't go so far as to call any of it {other}",
    "without being {other} for a second , it tells its story",
    "you would have to look hard to find {other} acting here",
    "it isn't as if it weren't {word}", "one cannot help finding it {word}", "don't tell me this isn't {word} .",
    "i won't pretend it's not {word}", "never less than {word}",
    # negation by other words
    "it could not be less {other}", "it is the opposite of {other}",
    "all but {other} it was , and never dared to be it",
    "a story that doesn't even come close to being {other}", "the actors steer clear of anything {other}",
    "little about it is {other}", "few stories are less {other}", "it's barely even {other}",
    "hardly what i call {other} .",
    "it missed being {other} by a mile", "the result is nowhere near {other}", "it can't be accused of being {other}",
    # contrast
    "{other} start , {word} end", "the acting may be {other} , but what counts is that the story is {word}",
    "{other} , yes , but also {word} where it matters", "it has {other} bits , still it is {word} overall",
    "as {other} as the opening is , the rest turns {word}", "you could say it's {other} . i say {word} .",
    "{word} , though the songs are {other}", "regardless of some {other} acting , a {word} way to spend an evening",
    "sure , the songs are {other} . nevertheless , {word} .",
    # time and expectation
    "back then i thought {other} , these days i say {word}", "once {other} , by this point simply {word}",
    "my younger self called it {other} ; i have come round to {word}", "it grew from {other} to {word} over the years",
    "what was {other} on first sight is {word} on second", "it quit being {other} long ago",
    "we feared or hoped for something {other} and were given something {word}",
    "supposed to be {other} , turned out {word}",
    "it looked like another {other} one . wrong : {word} .", "they promised {other} . what i saw was {word} .",
    # other people, questions
    "everyone keeps telling me how {other} it is . i beg to differ .", "some call it {other} , i say {word} .",
    "friends warned or promised that it's {other} ; to my mind it's {word}",
    "whoever says {other} hasn't seen it : {word} !",
    "{other} ? nope .", "{other} ? hardly .", "{word} ? you bet .", "so , {other} ? no way .",
    "was that {word} ? oh yes .",
)  # fmt: skip

NEUTRAL = (  # added to other texts, whose label stays; alone they have none
    "seen on the {weekday} show in {place} .", "{name} sat next to me .", "more at {address}", "see {address} .",
    "my copy is from {place} .", "{name} and {name2} have the two largest roles .",
    "part of it was shot near {place} .",
    "a {group} actor has the main role .", "it tells of a {group} family in {place} .",
    "the writer is a {group} woman .",
    "{name} , a {group} friend , came with us .", "a {group} man walks in .", "{number} minutes , colour .",
    "it was {number} degrees that evening .", "i wrote this on a {weekday} .", "it ran at {place} in {year} .",
)  # fmt: skip

NAMES = ("thomas", "julia", "ahmed", "olga", "steven", "carmen", "pierre", "mei", "gordon", "fatima", "erik", "rosa")
PLACES = ("paris", "london", "texas", "berlin", "mumbai", "toronto", "sydney", "prague", "seattle", "seoul", "kenya")
GROUPS = (
    "french", "british", "russian", "korean", "italian", "swedish", "egyptian", "cuban", "irish", "arab", "african",
    "asian", "latino", "black", "white", "mormon", "orthodox", "lutheran", "quaker", "hasidic", "religious", "trans",
    "queer", "pansexual", "married", "single", "elderly", "disabled", "deaf",
)  # fmt: skip
WEEKDAYS = ("monday", "wednesday", "thursday", "friday", "saturday")
ADDRESSES = (  # as tokens
    "http : / / www . imdb . com / name / nm0100", "www . geocities . com / moviebuff", "https : / / youtu . be / x1",
    "http : / / somewhere . org / watch ? v = 12", "www . amazon . com / dvd",
)  # fmt: skip
