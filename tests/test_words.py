"""No code, document or parameter contains the private words that this project once had."""

import re
import subprocess

from conftest import ROOT

WORDS = r"\b(rivals?|pupil|said|asked|judged|called_positive)\b"
FILES = ("*.py", "*.yaml", "*.md", "*.j2", ":!tests/test_words.py")
QUOTATIONS = (  # file, beginning of what it quotes
    ("CHANGELOG.md", "| `teach-pupil`"),
    ("CHANGELOG.md", "| `models.pupil`"),
    ("CHANGELOG.md", "| `said`, `was`"),
    ("src/sentiment_rnn/training/augmentation/frames.py", "{they} said {it} was {other} ."),  # a sentence of a review
)


def test_no_private_word_is_left():
    command = ["git", "grep", "--untracked", "-inP", WORDS, "--", *FILES]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = [re.split(r":\d+:", line, maxsplit=1) for line in done.stdout.splitlines()]
    assert not [(file, text) for file, text in lines if not any(file == f and t in text for f, t in QUOTATIONS)]
