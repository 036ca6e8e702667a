"""Stage search@ARCH: the best values found in searches/ARCH.json, the study's figures in reports/search/ARCH.json."""

import shutil
from pathlib import Path

from pipeline import architecture_named
from sentiment_rnn import params
from sentiment_rnn.files import write_json
from sentiment_rnn.search.study import search


def main(name: str) -> None:
    chosen = params.load()
    work = Path(f"work/search/{name}")
    report = search(name, chosen.model_of(name), chosen.search, chosen.trainer, tokens=Path("data/tokens"), work=work)
    write_json(f"searches/{name}.json", report["best"])
    write_json(f"reports/search/{name}.json", report)
    shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main(architecture_named())
