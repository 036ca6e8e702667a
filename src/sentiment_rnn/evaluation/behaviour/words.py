"""The words that fill the suite's templates."""

ADJECTIVES = (  # by label; with a negation each turns into the other verdict
    (
        "bad", "boring", "terrible", "dull", "silly", "tedious", "predictable", "annoying", "confusing", "clumsy",
        "disappointing", "forgettable", "lifeless", "shallow", "dreadful", "sloppy", "tiresome", "pointless",
        "ridiculous", "amateurish", "incoherent", "bland", "unbearable", "embarrassing", "contrived", "lousy",
        "dismal", "ludicrous", "irritating", "stale",
    ),
    (
        "good", "great", "enjoyable", "convincing", "interesting", "funny", "engaging", "believable", "entertaining",
        "charming", "clever", "likeable", "absorbing", "delightful", "gripping", "witty", "thrilling", "lovely",
        "graceful", "inspired", "riveting", "hilarious", "satisfying", "refreshing", "masterful", "stunning",
        "fascinating", "splendid", "insightful", "rewarding",
    ),
)  # fmt: skip
NOUNS = (  # by label
    ("disaster", "failure", "chore", "letdown", "bore", "blunder", "fiasco", "dud"),
    ("masterpiece", "triumph", "gem", "treat", "pleasure", "delight", "joy", "success"),
)
QUALITIES = ("charm", "wit", "suspense", "warmth", "energy", "imagination", "tension", "heart", "depth", "style")
FAULTS = ("clumsiness", "silliness", "tedium", "sentimentality", "dullness", "sloppiness", "pomposity", "kitsch")
TO_PLEASE = ("amuse", "surprise", "convince", "entertain", "move", "charm", "grip", "thrill", "delight", "touch")
TO_DISPLEASE = ("bore", "annoy", "irritate", "disappoint", "tire", "exasperate")
POLAR = frozenset(word for words in (*ADJECTIVES, *NOUNS, QUALITIES, FAULTS, TO_PLEASE, TO_DISPLEASE) for word in words)

FILMS = ("film", "movie", "picture", "feature", "production")
PARTS = ("script", "cast", "dialogue", "soundtrack", "editing", "photography", "second act", "finale", "lead actor")
PEOPLE = ("my wife", "my father", "a colleague", "the whole family", "my flatmate", "our neighbours", "a reviewer")
ALWAYS = (
    "after two viewings",
    "with the best will in the world",
    "to be honest",
    "as a fan of the genre",
    "in the end",
)

NAMES = (
    "Robert", "Anna", "Giorgio", "Hannah", "Patrick", "Ines", "Walter", "Nadia", "Kenji", "Sofia", "Dmitri", "Priya",
    "Hugo", "Leila", "Marcus", "Beatrice",
)  # fmt: skip
PLACES = (
    "Boston", "Lisbon", "Chicago", "Vienna", "Dublin", "Cairo", "Montreal", "Glasgow", "Osaka", "Naples", "Denver",
    "Warsaw", "Bristol", "Havana",
)  # fmt: skip
ADDRESSES = (
    "http://www.cinema-diary.example/1843", "https://reels.example/title/77120", "www.filmclub.example",
    "https://t.example/a8Kq2", "http://screenings.example/archive?page=3", "www.popcorn-notes.example/july",
)  # fmt: skip
GROUPS = {  # of people: each fills "the {group} character"
    "gender": ("male", "female", "transgender", "nonbinary"),
    "nationality": (
        "American", "Mexican", "Chinese", "Nigerian", "German", "Turkish", "Indian", "Brazilian", "Iranian", "Polish",
        "Vietnamese", "Somali",
    ),
    "religion": ("Christian", "Muslim", "Jewish", "Hindu", "Buddhist", "Catholic", "Protestant", "Sikh", "atheist"),
    "orientation": ("gay", "straight", "lesbian", "bisexual", "heterosexual", "homosexual", "asexual"),
}  # fmt: skip
JOBS = ("teacher", "doctor", "lawyer", "plumber", "reporter", "librarian", "shopkeeper", "engineer", "cook", "student")
