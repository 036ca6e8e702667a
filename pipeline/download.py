"""Stage download: the raw splits, checked, in data/raw; what they are like in reports/data.json."""

from sentiment_rnn import params
from sentiment_rnn.data import checks, sources, store
from sentiment_rnn.files import write_json


def main() -> None:
    corpus = sources.load(params.load().data)
    report = checks.describe(corpus)
    fingerprints = {name: split["fingerprint"] for name, split in report["splits"].items()}
    store.save(
        corpus,
        "data/raw",
        {"dataset": corpus.dataset, "fingerprints": fingerprints},
    )
    write_json("reports/data.json", report)
    sizes = ", ".join(f"{len(split.texts):,} {name}" for name, split in corpus.splits.items())
    print(f"{corpus.dataset} ({corpus.source}): {sizes}")


if __name__ == "__main__":
    main()
