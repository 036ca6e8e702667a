"""Where the reviews come from: the hub, a mirror folder, or the project's own generated sample."""

import http.client
import os
import sys
import urllib.request
from pathlib import Path

from sentiment_rnn.data import sample
from sentiment_rnn.data.checks import check_rows
from sentiment_rnn.data.corpus import SPLITS, Corpus, Split
from sentiment_rnn.data.imdb import require_imdb
from sentiment_rnn.errors import UserError
from sentiment_rnn.params import DataParams

HUB_NAME = "stanfordnlp/imdb"
PROBE_SECONDS = 4

BANNER = """\
==============================================================================
  THIS IS NOT IMDB. The hub could not be reached and no mirror is named, so
  what follows runs on the generated sample corpus. Its figures say nothing
  about IMDB. For IMDB: IMDB_MIRROR=/folder/in/the/hub's/layout make run
=============================================================================="""


def load(params: DataParams) -> Corpus:
    """Read a corpus from where `params.source` says and accept it only if it is whole.

    `auto` takes a mirror if one is named (the environment's IMDB_MIRROR, else `params.mirror`), else the hub if
    it answers, else the sample behind a loud banner.

    Raises:
        UserError: the source cannot be read, or what it holds is not IMDB.
    """
    mirror = os.environ.get("IMDB_MIRROR") or params.mirror
    source = params.source
    if source == "auto":
        source = "mirror" if mirror else "hub" if hub_answers() else "sample"
        if source == "sample":
            print(BANNER, file=sys.stderr, flush=True)
    if source == "sample":
        return from_sample(params)
    if source == "hub":
        return from_hub()
    if not mirror:
        raise UserError("data.source is mirror but none is named: set IMDB_MIRROR or data.mirror to its folder")
    return from_mirror(Path(mirror))


def hub_answers() -> bool:
    """Ask the hub once, shortly: its own client retries for over 20 s before it gives up."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return False
    try:
        request = urllib.request.Request(f"{constants.ENDPOINT}/api/datasets/{HUB_NAME}", method="HEAD")
        with urllib.request.urlopen(request, timeout=PROBE_SECONDS):
            return True
    except (OSError, http.client.HTTPException, ValueError):
        # nothing there, something that speaks no HTTP, or an endpoint that is no address
        return False


def from_hub() -> Corpus:
    """IMDB from the hub, by `datasets`."""
    import datasets

    print(f"Reading {HUB_NAME} from the hub ...", flush=True)
    try:
        found = datasets.load_dataset(HUB_NAME)
    except Exception as error:
        # the client's errors are of many kinds, from name resolution to a corrupt archive
        raise UserError(
            f"the hub's {HUB_NAME} cannot be read ({type(error).__name__}: {' '.join(str(error).split())[:200]}); "
            "name a mirror with IMDB_MIRROR, or set data.source to sample"
        ) from error
    splits = {}
    for name in SPLITS:
        if name not in found:
            raise UserError(f"the hub's {HUB_NAME} has no split {name}")
        splits[name] = check_rows(found[name].data.table, f"the hub's {HUB_NAME}: {name}", name)
    require_imdb(splits, f"the hub's {HUB_NAME}")
    return Corpus("imdb", f"hub: {HUB_NAME}", splits)


def from_mirror(folder: Path) -> Corpus:
    """IMDB from a folder in the hub's layout: `plain_text/SPLIT-*.parquet`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    print("Reading IMDB from the mirror ...", flush=True)
    if not folder.is_dir():
        raise UserError(f"the mirror {folder} is no folder: name one that holds plain_text/*.parquet")
    splits: dict[str, Split] = {}
    for name in SPLITS:
        files = sorted(folder.glob(f"plain_text/{name}-*.parquet"))
        if not files:
            raise UserError(f"the mirror {folder} has no plain_text/{name}-*.parquet")
        try:
            table = pa.concat_tables([pq.read_table(file) for file in files])
            table.validate(full=True)  # that strings are UTF-8, too
        except (pa.ArrowException, OSError) as error:
            raise UserError(
                f"the mirror's {name} cannot be read ({' '.join(str(error).split())[:200]}): copy it again"
            ) from None
        splits[name] = check_rows(table, f"the mirror's {name}", name)
    require_imdb(splits, "the mirror")
    return Corpus("imdb", "mirror", splits)


def from_sample(params: DataParams) -> Corpus:
    """The generated corpus: each split from a seed of its own."""
    size, seed = params.sample, params.sample.seed
    train = Split(*sample.generate(size.train, seed=seed))
    test = Split(*sample.generate(size.test, seed=seed + 1))
    texts, _ = sample.generate(size.unsupervised, seed=seed + 2)
    unsupervised = Split(texts, [-1] * len(texts))
    return Corpus("sample", "generated", {"train": train, "test": test, "unsupervised": unsupervised})
