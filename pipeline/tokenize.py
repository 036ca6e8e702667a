"""Stage tokenize: token ids of every review and the tokenizer in data/tokens, statistics in reports/tokens.json."""

from pathlib import Path

from pipeline import parser
from sentiment_rnn import params
from sentiment_rnn.files import write_json


def main() -> None:
    chosen = params.load()
    from sentiment_rnn.data.tokenize_stage import tokenize

    write_json("reports/tokens.json", tokenize(chosen, Path("data/raw"), Path("data/tokens")))


if __name__ == "__main__":
    parser("tokenize", "Split the reviews, learn the vocabulary, tokenize.").parse_args()
    main()
