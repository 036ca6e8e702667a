"""Loading a data set by its name in params.yaml: from files, from the hub or a mirror of it, or generated."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from sentiment_rnn.data import checks, imdb, split, store, synthetic
from sentiment_rnn.data.card import card
from sentiment_rnn.data.corpus import UNLABELED, Corpus, Split
from sentiment_rnn.data.reading import read_files, read_hub
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import atomic_file
from sentiment_rnn.params import FilesDataset, HubDataset, Params, SyntheticDataset, TextDataset

FOLDER = Path("sources")  # of the user's files, in a folder for each data set, on which the stage download depends


def load(params: Params) -> Corpus:
    """Load the data set `data.dataset`; no other data set is ever substituted.

    Raises:
        UserError: it cannot be read, is incomplete or altered, or has rows that cannot be used; one line for each.
    """
    name, entry = params.data.dataset, params.dataset
    if isinstance(entry, SyntheticDataset):
        return generate(name, entry)
    found, source = labeled_splits(name, entry)
    how = "given"
    if "test" not in found:
        found["train"], found["test"], how = _split_off_test(found["train"], params, entry)
    if problems := checks.check_classes(found, entry.class_names):
        raise UserError("\n".join(f"{name}: {problem}" for problem in problems))
    order = ["train", *(["validation"] if "validation" in found else []), "test", UNLABELED]
    found.setdefault(UNLABELED, Split([], []))
    return Corpus(name, source, {each: found[each] for each in order}, entry.class_names, how)


def labeled_splits(name: str, entry: HubDataset | FilesDataset) -> tuple[dict[str, Split], str]:
    """The splits that a data set has itself, and its source, in words.

    Raises:
        UserError: some cannot be read, or have rows that cannot be used; one line for each.
    """
    if isinstance(entry, FilesDataset):
        _require_tracked(name, entry)
        names, where, source = entry.files, "", ", ".join(entry.files.model_dump(exclude_none=True).values())
    else:
        folder = mirror(name, entry)
        names, source = entry.splits, "mirror" if folder else f"hub: {entry.hub}"
        where = "the mirror's " if folder else f"the hub's {entry.hub}: "
        tables = {} if folder else _read_hub(name, entry)
    found, problems = {}, []
    for key, named in names.model_dump(exclude_none=True).items():
        labeled = key != "unlabeled"
        columns = [*entry.text, *([entry.label] if labeled else []), *(entry.further_columns if labeled else [])]
        try:
            if isinstance(entry, FilesDataset):
                table = read_files(named, columns, entry.encoding)
            elif folder:
                table = _read_mirror(name, folder, entry.config, named, columns)
            else:
                table = _of_hub(tables, named, entry.hub, columns)
            rows = checks.check_rows(table, f"{where}{named}", entry if labeled else _without_columns(entry), labeled)
            found[key if labeled else UNLABELED] = rows
        except UserError as error:
            problems.append(str(error))
    if isinstance(entry, HubDataset) and entry.hub == imdb.HUB and not problems:
        problems += imdb.differences(found, where.rstrip(": "))
    if problems:
        raise UserError("\n".join(dict.fromkeys(problems)))
    return found, source


def _without_columns(entry: TextDataset) -> TextDataset:
    return entry.model_copy(update={"group": None, "slices": []})


def _require_tracked(name: str, entry: FilesDataset) -> None:
    """Refuse files elsewhere: they could change without DVC's knowledge."""
    folder = FOLDER / name
    for pattern in entry.files.model_dump(exclude_none=True).values():
        if not Path(pattern).absolute().is_relative_to(folder.absolute()):
            raise UserError(
                f"params.yaml: datasets.{name}.files: {pattern} is not below {folder}/, where DVC notices changes: "
                f"copy it there, or run `sentiment-rnn init {pattern} --name {name}`"
            )


def mirror(name: str, entry: HubDataset) -> Path | None:
    """The mirror folder of a data set: the environment's NAME_MIRROR (IMDB_MIRROR), else the one in params.yaml."""
    folder = os.environ.get(mirror_variable(name)) or entry.mirror
    return Path(folder) if folder else None


def mirror_variable(name: str) -> str:
    """The environment variable that names the mirror of a data set."""
    return f"{name.upper().replace('-', '_')}_MIRROR"


def _read_hub(name: str, entry: HubDataset) -> dict[str, pa.Table]:
    try:
        return read_hub(entry.hub, entry.config, entry.revision)
    except UserError as error:
        raise UserError(
            f"{error}: set {mirror_variable(name)} to a folder in the hub's layout, or run `make demo`, which needs no "
            "download"
        ) from error


def _of_hub(tables: dict[str, pa.Table], split_name: str, hub: str, columns: list[str]) -> pa.Table:
    if split_name not in tables:
        raise UserError(f"the hub's {hub} has no split {split_name}; it has {', '.join(tables)}")
    missing = [column for column in columns if column not in tables[split_name].column_names]
    if missing:
        listed = ", ".join(tables[split_name].column_names)
        raise UserError(f"the hub's {hub}: {split_name}: no column {' and no column '.join(missing)}, only {listed}")
    return tables[split_name].select(columns)


def _read_mirror(name: str, folder: Path, config: str | None, split_name: str, columns: list[str]) -> pa.Table:
    subfolder = config or "*"
    pattern = f"{subfolder}/{split_name}-*.parquet"
    if not folder.is_dir():
        raise UserError(
            f"the mirror {folder} is not a folder: set {mirror_variable(name)} to one that holds {subfolder}/*.parquet"
        )
    if not list(folder.glob(pattern)):
        raise UserError(f"the mirror {folder} has no {pattern}")
    print(f"Reading {split_name} of {name} from the mirror ...", flush=True)
    return read_files(str(folder / pattern), columns)


def _split_off_test(rows: Split, params: Params, entry: TextDataset) -> tuple[Split, Split, str]:
    fraction = params.data.test_fraction
    places = split.positions(rows, params.data.seed, rows.columns[entry.group] if entry.group else None)
    by_group = f", by {entry.group}" if entry.group else ""
    how = f"{100 * fraction:g}% of the rows, stratified, identical texts together{by_group}, seed {params.data.seed}"
    return rows.take(np.flatnonzero(places >= fraction)), rows.take(np.flatnonzero(places < fraction)), how


def generate(name: str, sizes: SyntheticDataset) -> Corpus:
    """The synthetic corpus, each split from another seed."""
    train = Split(*synthetic.generate(sizes.train, seed=sizes.seed))
    test = Split(*synthetic.generate(sizes.test, seed=sizes.seed + 1))
    texts, _ = synthetic.generate(sizes.unsupervised, seed=sizes.seed + 2)
    unlabeled = Split(texts, [-1] * len(texts))
    return Corpus(name, "generated", {"train": train, "test": test, UNLABELED: unlabeled})


def download(params: Params, out: Path, card_file: Path) -> dict[str, Any]:
    """Run the stage download: load and check the data set, write its raw splits and its card.

    Args:
        params: `data` and `datasets` are used.
        out: replaced as a whole.
        card_file: a Markdown file.

    Returns:
        The report, from `checks.describe`.
    """
    corpus = load(params)
    entry = params.dataset
    report = checks.describe(corpus, None if isinstance(entry, SyntheticDataset) else entry.group)
    save(corpus, report, out)
    with atomic_file(card_file) as file:
        file.write(card(corpus, report))
    sizes = ", ".join(f"{len(rows.texts):,} {name}" for name, rows in corpus.splits.items())
    print(f"{corpus.dataset} ({corpus.source}): {sizes}")
    for warning in report["warnings"]:
        print(f"warning: {warning}")
    return report


def save(corpus: Corpus, report: dict[str, Any], out: Path) -> None:
    """Write the raw splits of a corpus, with what identifies them."""
    content_hashes = {name: each["content_hash"] for name, each in report["splits"].items()}
    identity = {"dataset": corpus.dataset, "content_hashes": content_hashes}
    store.save(corpus, out, identity | {"class_names": list(corpus.class_names)})
