"""Loading a data set by its name in params.yaml: from the hub, from a mirror folder, or generated."""

import os
from pathlib import Path
from typing import Any

from sentiment_rnn.data import checks, store, synthetic
from sentiment_rnn.data.checks import check_rows
from sentiment_rnn.data.corpus import SPLITS, Corpus, Split
from sentiment_rnn.data.imdb import require_imdb
from sentiment_rnn.errors import UserError
from sentiment_rnn.params import HubDataset, Params, SyntheticDataset

MIRROR = "IMDB_MIRROR"  # environment variable


def load(params: Params) -> Corpus:
    """Load the data set `data.dataset`; no other data set is ever substituted.

    Raises:
        UserError: it cannot be read, or is incomplete or altered.
    """
    name = params.data.dataset
    source: HubDataset | SyntheticDataset = getattr(params.datasets, name)
    if isinstance(source, SyntheticDataset):
        return generate(name, source)
    folder = mirror(source)
    splits = from_mirror(folder) if folder else from_hub(source.hub)
    require_imdb(splits, "the mirror" if folder else f"the hub's {source.hub}")
    return Corpus(name, "mirror" if folder else f"hub: {source.hub}", splits)


def mirror(source: HubDataset) -> Path | None:
    """The mirror folder: the environment's IMDB_MIRROR, else the one in params.yaml."""
    folder = os.environ.get(MIRROR) or source.mirror
    return Path(folder) if folder else None


def from_hub(name: str) -> dict[str, Split]:
    """The splits of a data set on the hub.

    Raises:
        UserError: the hub cannot be reached, or has no such data set.
    """
    import datasets

    print(f"Reading {name} from the hub ...", flush=True)
    try:
        found = datasets.load_dataset(name)
    except Exception as error:
        # the client raises errors of many types, from name resolution to a corrupt archive
        raise UserError(
            f"the hub's {name} cannot be read ({type(error).__name__}: {' '.join(str(error).split())[:200]}): "
            f"set {MIRROR} to a folder in the hub's layout, or run `make demo`, which needs no download"
        ) from error
    splits = {}
    for split in SPLITS:
        if split not in found:
            raise UserError(f"the hub's {name} has no split {split}")
        splits[split] = check_rows(found[split].data.table, f"the hub's {name}: {split}", split)
    return splits


def from_mirror(folder: Path) -> dict[str, Split]:
    """The splits of a folder in the hub's layout, `plain_text/SPLIT-*.parquet`.

    Raises:
        UserError: a file is missing or corrupt.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    print("Reading IMDB from the mirror ...", flush=True)
    if not folder.is_dir():
        raise UserError(f"the mirror {folder} is not a folder: set {MIRROR} to one that holds plain_text/*.parquet")
    splits: dict[str, Split] = {}
    for name in SPLITS:
        files = sorted(folder.glob(f"plain_text/{name}-*.parquet"))
        if not files:
            raise UserError(f"the mirror {folder} has no plain_text/{name}-*.parquet")
        try:
            table = pa.concat_tables([pq.read_table(file) for file in files])
            table.validate(full=True)  # that strings are valid UTF-8, too
        except (pa.ArrowException, OSError) as error:
            raise UserError(
                f"the mirror's {name} cannot be read ({' '.join(str(error).split())[:200]}): copy it again"
            ) from None
        splits[name] = check_rows(table, f"the mirror's {name}", name)
    return splits


def generate(name: str, sizes: SyntheticDataset) -> Corpus:
    """The synthetic corpus, each split from another seed."""
    train = Split(*synthetic.generate(sizes.train, seed=sizes.seed))
    test = Split(*synthetic.generate(sizes.test, seed=sizes.seed + 1))
    texts, _ = synthetic.generate(sizes.unsupervised, seed=sizes.seed + 2)
    unsupervised = Split(texts, [-1] * len(texts))
    return Corpus(name, "generated", {"train": train, "test": test, "unsupervised": unsupervised})


def download(params: Params, out: Path) -> dict[str, Any]:
    """Run the stage download: load the data set, write its raw splits.

    Args:
        params: `data` and `datasets` are used.
        out: replaced as a whole.

    Returns:
        The report, from `checks.describe`.
    """
    corpus = load(params)
    report = checks.describe(corpus)
    content_hashes = {name: split["content_hash"] for name, split in report["splits"].items()}
    store.save(corpus, out, {"dataset": corpus.dataset, "content_hashes": content_hashes})
    sizes = ", ".join(f"{len(split.texts):,} {name}" for name, split in corpus.splits.items())
    print(f"{corpus.dataset} ({corpus.source}): {sizes}")
    return report
