"""Stage word_vectors: skip-gram vectors in data/word_vectors, metrics in reports/word_vectors.json."""

from pathlib import Path

from pipeline import parser
from sentiment_rnn import params
from sentiment_rnn.files import write_json


def main() -> None:
    from sentiment_rnn.training.word_vectors import word_vectors

    write_json("reports/word_vectors.json", word_vectors(params.load(), Path("data/tokens"), Path("data/word_vectors")))


if __name__ == "__main__":
    parser("word_vectors", "Learn word vectors from the reviews' texts.").parse_args()
    main()
