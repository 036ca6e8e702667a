"""Frames of generated sentences, in lower case tokens. They share nothing with the behaviour suite.

Of `[a|b]` one is chosen. Slots with the label of the sentence: {word} is an adjective, {noun} and {quality} are
nouns, {verb}, its past tense {past} and {do} are verbs. {other}, {other_noun} and so on have the opposite label. The
adjectives come from train, the others are below. The remaining slots are in `NEUTRAL_WORDS`.
"""

BOTH = (  # labels
    # plain
    "{word}", "{word} stuff", "[pretty|just|really|so] {word}", "[really|so|simply] {word} work by all involved",
    "my verdict : {word}", "one word : {word}", "{word} acting , {word2} story", "{it} [is|was] {very} {word}",
    "{it} [is|was|felt] {word} and also {word2}", "[such|quite|simply] a {noun}", "{it} [is|was] a {noun}",
    "a [truly|really|very] {word} piece of work", "i {past} {every}", "we [truly|really] {past} {every}",
    "full of {quality}", "so much {quality}", "{it} has {quality}", "it managed to {do} [me|us|everyone]",
    "{it} [will|does|can] {do} [you|us|anyone]", "a [show|story] to {verb}",
    # negation, near and contracted
    "not {very} {other}", "{it} {isnt} {other}", "{it} {isnt} {very} {other}", "{it} {isnt} {other} in any way",
    "{it} {isnt} {other} , trust me", "{it} {isnt} [a|such a] {other} piece of work",
    "not a {other} {show} , this one", "there [wasn't|isn't] anything {other} in it", "nothing {other} here",
    "nothing in it [is|was|felt] {other}", "no {other} acting , no {other2} story",
    "[never|not remotely|in no way|not in the least] {other}", "{it} [is|was] [never once|not ever] {other}",
    "{it} never [got|seemed|looked] {other}",
    "{it} [didn't|did not|doesn't|won't] [seem|look|sound|strike you as] {other}", "they aren't {other} here",
    "it ain't {other}", "{it} {isnt} a {other_noun}", "it's no {other_noun}",
    "i [never|did not|don't|couldn't] [find|consider|call] {it} {other}", "i don't think {it} [is|was] {other}",
    "i [wouldn't|can't|won't] say {it} [is|was] {other}",
    "no one [would|could|will] [claim|think] {it} [is|was] {other}", "neither {other} nor {other2}",
    "neither the songs nor the jokes [are|were] {other}",
    "{it} and {parts} [aren't|weren't|are not|were not] {other}", "{parts} [aren't|weren't|are not] {very} {other}",
    "i [didn't|did not|don't|do not|couldn't] {other_verb} {any}", "i can't say i {other_past} {any}",
    "[nobody|no one] [i know|in the room] {other_past} {any}", "i never {other_past} {any}",
    # negation, far
    "i doubt that anyone will [find this|call it] {other}", "no one in the room thought of it as {other}",
    "don't let anyone persuade you that {it} [is|was] {other}", "i wouldn't go so far as to call any of it {other}",
    "without being {other} for a second , it tells its story",
    "you would have to look hard to find {other} acting here",
    "i don't suppose {it} , with all its songs , [is|was] {other}",
    "{it} , from what i know of the genre , {isnt} {other}",
    "not once while watching did {it} [seem|feel|get] {other}", "i don't know anyone who {other_past} {any}",
    "i [don't|can't|won't] [think|say|claim] , {aside} , [that|] {it} [is|was] {other}",
    "[nobody|no one] who {sat} [will|would|could] [call|find] {it} {other}",
    "[nobody|no one] , {aside} , [will|would|could] [say|claim] that {it} [is|was] {other}",
    "[nobody|no critic] will [make|hear] me say that {it} [is|was] {other}",
    "i [wouldn't|won't|don't] [tell|warn|remind] {they} that {it} [is|was] {other}",
    "it [isn't|wasn't] [true|so] that {it} [is|was] {other}",
    "it would be wrong to [say|claim] that {it} [is|was] {other}",
    "[none|not one|not a single one] of {parts} [is|was|seemed] {other}",
    "not one [joke|song|minute] [is|was] {other}", "i [remember|saw] [no|not one] [joke|song] that was {other}",
    "there isn't a [joke|song|minute] that is {other}",
    "neither {it} nor , {aside} , {parts} [are|were|seem] {other}", "i would not know what is {other} about {it}",
    # two negations
    "it isn't as if it weren't {word}", "one cannot help finding {it} {word}", "don't tell me {it} {isnt} {word}",
    "i won't pretend {it} {isnt} {word}", "never less than {word}", "no one says {it} {isnt} {word}",
    "nothing short of {word}", "i don't dispute that {it} [is|was] {word}", "{it} {isnt} anything other than {word}",
    "[you|they] can't tell me [that|] {it} {isnt} {word}", "there isn't a [joke|song|minute] that {isnt} {word}",
    "it [isn't|wasn't] [true|so] that {it} {isnt} {word}", "it would be wrong to [say|claim] that {it} {isnt} {word}",
    "i [don't|can't|won't] [think|claim|believe] [that|] {it} {isnt} {word}",
    "[not a|no] [joke|song|minute] that [isn't|wasn't] {word}", "[nobody|no one] {aside2} {it} {isnt} {word}",
    # negation by other words
    "it could not be less {other}", "{it} [is|was] the opposite of {other}",
    "{it} [is|was] less {other} than they say",
    "{it} [doesn't even come|never comes|isn't even] close to being {other}",
    "the actors steer clear of anything {other}", "little about it is {other}", "few stories are less {other}",
    "{it} [is|was] [barely|scarcely|seldom|rarely] even {other}",
    "[hardly|scarcely|barely] [what i call|my idea of] {other}", "{it} missed being {other} by a mile",
    "{it} [is|was] [nowhere near|a long way from being] {other}", "it can't be accused of being {other}",
    "{it} [does not|doesn't|didn't] manage to be {other}", "{it} never managed to be {other}",
    "{it} [lacks|is without] anything {other}", "{it} [fails|failed|refused] to [seem|become|get] {other}",
    "i looked in vain for anything {other}", "[rarely|seldom] did {it} [seem|look] {other}",
    "{it} stops before it gets {other}", "[hardly|scarcely|barely|not quite] the {other_noun} that they announced",
    "[scarcely|not really|not quite] a {other_noun}", "[hardly|scarcely|barely] a {other} {show}",
    "{it} [is|was] [hardly|scarcely|barely] {very} {other}", "without {other_quality}",
    "no {other_quality} [at all|whatsoever|anywhere]", "not without {quality}", "{it} {isnt} without {quality}",
    "{it} [lacks|lacked|avoids] {other_quality}", "[little|hardly any] {other_quality}",
    "there [isn't|wasn't] any {other_quality} in it", "never short of {quality}",
    "where is the {other_quality} ? not here", "[fails|failed|refused] to {other_do} [me|us|anyone]",
    "{it} [doesn't|does not|won't|can't|didn't] {other_do} [me|us]", "it never fails to {do} [me|us]",
    "at no moment did {it} {other_do} [me|us]", "[far from|anything but] {other} , [this one|if you ask me]",
    "far from being {other} , {it} [is|was] {word}", "{it} proved [to be anything but|far from] {other}",
    "{it} [has|had] ceased to [seem|look] {other}", "at no [time|moment|stage] was {it} {other}",
    "at no [time|moment] did {it} [look|seem|get] {other}", "not for a [second|minute] did i find it {other}",
    "under no circumstances {other}", "by no [means|stretch] {other}",
    "i [couldn't|fail to|don't] see anything {other} in it", "free of {other_quality}",
    "entirely devoid of {other_quality}", "devoid of anything {other}",
    "to call {it} {other} would be [wrong|unfair|a mistake]", "{word} , not {other}",
    "{it} stops short of [seeming|getting] {other}", "not {other} but {word}", "more {word} than {other}",
    "too {word} to be {other}", "rather {word} than {other}",
    # contrast
    "{other} start , {word} end", "{other} bits , on the whole {word}",
    "{it} , even if {parts} seem {other} , [is|was] {word}", "{other} [but|yet|, but|, though] {word}",
    "{other} , yes , but also {word} where it matters",
    "the acting may be {other} , but what counts is that the story is {word}",
    "{it} has {other} bits , still it is {word} overall",
    "{parts} [are|were] {other} , [but|yet|still ,] {it} [is|was] {word}",
    "as {other} as the opening is , the rest turns {word}", "i {other_past} {parts} , but {it} [is|was] {word}",
    "i {other_past} the opening [, but|; still ,] i {past} the rest", "you could say it's {other} . i say {word}",
    "{word} , [though|although|even though|even if] {parts} [are|may be|seem] {other}",
    "[though|although|even though|even if|while] {parts} [are|were|seem] {other} , {it} [is|was] {word}",
    "[while|although] {it} [is|was] {other} , the [rest|sum of it] is {word}", "{other} in parts , {word} in sum",
    "{it} [begins|starts] {other} , then [gets|turns|becomes] {word}",
    "{other} [here and there|at first] , [but|yet] all in all {word}",
    "{it} [is|was] {other} ; {parts} , [however|though] , [are|were] {word}",
    "granted , {parts} are {other} , [but|yet] {it} is {word}",
    "[despite|in spite of|for all|regardless of] [some|the] {other} songs , {it} [is|was] {word}",
    "[notwithstanding|in the face of] all the {other} jokes it stays {word}",
    "{it} [is|was] {word} , [despite|in spite of] [some|the] {other} songs",
    "sure , {parts} are {other} . nevertheless , {word}", "{parts} are {other} . [still|even so] , i {past} it",
    # time and expectation
    "[back then|at first|as a kid] i [found|called|thought] {it} {other} , [now|these days|today] i call it {word}",
    "i used to [call it|find it] {other} , [now|these days|but today] {it} [is|seems] {word}",
    "i used to {other_verb} it [,|, but|;] [now|these days] i {verb} it",
    "i once {other_past} {it} . today i {verb} it",
    "{it} [once was|was once] {other} [,|, but] [now|by this point] [it's|simply] {word}",
    "my younger self called it {other} ; i have come round to {word}",
    "it grew from {other} to {word} over the years", "what was {other} on first sight is {word} on second",
    "{it} quit being {other} long ago", "it's not {other} any more",
    "i [no longer|don't] {other_verb} it , as i did back then", "i don't call {it} {other} any more",
    "there was a time when {it} [seemed|was] {other} to me", "all that was {other} about it is gone",
    "{it} has lost everything {other} that it had", "[those|the] years when {it} was {other} are over",
    "we [feared|hoped for|were told to expect] something {other} and were given something {word}",
    "i [expected|feared|hoped for] {other} work and [found|saw] {word} work",
    "supposed to be {other} , turned out {word}", "it looked like another {other} one . wrong : {word}",
    "{it} [should|could|might] have been {other} ; it turned out {word}",
    "they promised {other} . what i saw was {word}",
    "i [thought|believed|was sure] {it} was {other} [, but it wasn't|. it was not]",
    "i had thought i would {other_verb} it . [i didn't|quite the contrary]",
    # other people, questions
    "{they} kept telling me how {other} it is . i beg to differ", "{they} [called|found] it {other} , i say {word}",
    "{they} warned or promised that it's {other} ; to my mind it's {word}",
    "{they} {other_past} it . i {past} it , though",
    "{they} said {it} was {other} . [not true|nonsense|that's wrong|don't believe it]",
    "{they} said {it} was {other} . [i don't think so|they err|i see it differently|i can't see that]",
    "i don't share the view of {they} that {it} [is|was] {other}", "{they} [err|were mistaken] : {it} {isnt} {other}",
    "i disagree with [those|people] who call it {other}",
    "{they} call it {other} . i [disagree|don't agree|cannot agree]", "whoever says {other} hasn't seen it : {word}",
    "{other} ? [nope|hardly|not really|not to me]", "so , {other} ? no way",
    "{other} ? [quite the opposite|on the contrary|wrong|anything else]", "{word} ? [you bet|very much so|oh yes]",
    "was {it} {other} ? [no|nope|hardly|by no means]", "was {it} {word} ? [oh yes|yes|it was|of course]",
    "would you call {it} {other} ? [i wouldn't|no|not me]", "would you call {it} {word} ? [i would|yes|any day]",
    "{word} or {other} ? i say {word}", "{other} or {word} ? {word} !",
    "did i {other_verb} it ? [no|not really|i did not]", "did i {verb} it ? [yes|i did|very much]",
)  # fmt: skip
NEGATIVE = (
    "i want my evening back", "i wouldn't watch it again", "it left me cold", "no reason to watch it",
    "i can't recommend it", "don't waste your evening on it", "don't bother", "{it} {isnt} worth your evening",
    "{it} does not work", "it couldn't hold my attention", "i couldn't wait for it to end",
    "i didn't care for anyone in it", "there is not one reason to see it", "could have been so much better",
    "it never came to life", "no plot , no point", "i wish i had liked it", "not what it should have been",
    "you won't remember it tomorrow",
)  # fmt: skip
POSITIVE = (
    "i have no complaints", "i would watch it again", "it never left me cold", "no reason to skip it",
    "i can't recommend it enough", "don't miss it", "what's not to like", "{it} {isnt} a waste of an evening",
    "it works", "i couldn't look away", "i didn't want it to end", "i couldn't take my eyes off it",
    "no one will regret seeing it", "it couldn't have been any better",
    "there was never a moment when i looked at the clock", "nothing to complain about", "it never lets you down",
    "you won't forget it soon", "can't wait to see it again", "i had nothing against it",
)  # fmt: skip

NOUNS = (  # by label
    ("mess", "flop", "travesty", "disgrace", "disappointment", "stinker", "waste", "catastrophe", "embarrassment"),
    ("classic", "winner", "beauty", "marvel", "jewel", "achievement", "knockout", "wonder", "revelation"),
)
QUALITIES = (
    ("clichés", "flaws", "nonsense", "padding", "mistakes", "drivel", "stupidity", "laziness", "holes"),
    ("skill", "talent", "beauty", "originality", "feeling", "humor", "passion", "elegance", "ideas"),
)
VERBS = (  # infinitive and past tense
    (("dislike", "disliked"), ("hate", "hated"), ("regret", "regretted"), ("despise", "despised"),
     ("loathe", "loathed")),
    (("like", "liked"), ("enjoy", "enjoyed"), ("love", "loved"), ("admire", "admired"), ("appreciate", "appreciated")),
)  # fmt: skip
DOES = (
    ("offend", "depress", "alienate", "frustrate", "sicken", "insult"),
    ("impress", "engage", "inspire", "captivate", "excite", "reward"),
)
NEUTRAL_WORDS = {
    "it": (
        "it", "this", "this one", "the acting", "the plot", "the story", "the writing", "the ending", "the music",
        "the humor", "the direction", "the whole thing", "her performance", "his work", "the show", "the first hour",
        "the result", "most of it",
    ),
    "parts": ("the songs", "the jokes", "the effects", "the costumes", "the accents", "the side plots", "the fights"),
    "isnt": ("is not", "isn't", "was not", "wasn't"),
    "very": ("really", "so", "that", "too", "all that", "especially", "quite", "the least bit"),
    "any": ("any of it", "a minute of it", "this one", "the acting", "the story", "her performance", "the show"),
    "every": ("all of it", "every minute of it", "this one", "the acting", "the story", "her performance", "the show"),
    "show": ("show", "story", "effort", "piece of work", "experience"),
    "they": ("my sister", "my friends", "some people", "everyone", "a lot of fans", "the ads", "my brother"),
    "aside": (
        "honestly", "after all this time", "as somebody who likes musicals", "having read the book", "for what it is",
        "given all the talk about it", "if you ask me", "even on the third evening", "with the sound turned up",
    ),
    "sat": (
        "sat near me", "has read the book", "likes musicals", "stays to the end", "knows the genre as well as i do",
        "watches it with an open mind",
    ),
    "aside2": ("would say", "in the room thought", "can tell me", "who stayed would say", "will claim"),
}  # fmt: skip

NEUTRAL = (  # added to other texts, whose label stays; alone they have none
    "seen on the {weekday} show in {place} .", "{name} sat next to me .", "more at {address}", "see {address} .",
    "my copy is from {place} .", "{name} and {name2} have the two largest roles .",
    "part of it was shot near {place} .", "a {group} actor has the main role .",
    "it tells of a {group} family in {place} .", "the writer is a {group} woman .", "the lead is {group} .",
    "{name} , a {group} friend , came with us .", "a {group} man walks in .", "{number} minutes , colour .",
    "it was {number} degrees that evening .", "i wrote this on a {weekday} .", "it ran at {place} in {year} .",
    "{name} is a {group} nurse .", "the neighbour , a {group} painter , knocks at {name}'s window .", "{address}",
    "{name} drives from {place} to see {name2} .", "the bus to {place} leaves at {number} past eight .",
    "in {year} the {group} sailor meets {name} .", "the {group} farmer has {number} cows .",
    "i saw it with {name} , who is {group} .", "she is {group} , he is {group2} .",
)  # fmt: skip

NAMES = (
    "thomas", "julia", "ahmed", "olga", "steven", "carmen", "pierre", "mei", "gordon", "fatima", "erik", "rosa",
    "kate", "ivan", "laura", "george", "susan", "raj", "paul", "linda", "omar", "helen", "yuki", "bruce", "maria",
    "karl",
)  # fmt: skip
PLACES = (
    "paris", "london", "texas", "berlin", "mumbai", "toronto", "sydney", "prague", "seattle", "seoul", "kenya",
    "madrid", "tokyo", "florida", "athens", "oslo", "brazil", "alaska", "rome", "ohio",
)  # fmt: skip
GROUPS = (
    "french", "british", "russian", "korean", "italian", "swedish", "egyptian", "cuban", "irish", "arab", "african",
    "asian", "latino", "black", "white", "mormon", "orthodox", "lutheran", "quaker", "hasidic", "religious", "trans",
    "queer", "pansexual", "married", "single", "elderly", "disabled", "deaf", "japanese", "spanish", "greek",
    "danish", "norwegian", "dutch", "canadian", "australian", "scottish", "welsh", "hungarian", "czech", "austrian",
    "swiss", "israeli", "lebanese", "pakistani", "thai", "filipino", "argentine", "colombian", "jamaican",
    "ethiopian", "gypsy", "secular", "evangelical", "anglican", "methodist", "pagan", "zen", "hispanic", "bilingual",
    "young", "old", "blind",
)  # fmt: skip
WEEKDAYS = ("monday", "wednesday", "thursday", "friday", "saturday")
ADDRESSES = (  # as tokens
    "http : / / www . imdb . com / name / nm0100", "www . geocities . com / moviebuff", "https : / / youtu . be / x1",
    "http : / / somewhere . org / watch ? v = 12", "www . amazon . com / dvd",
)  # fmt: skip
