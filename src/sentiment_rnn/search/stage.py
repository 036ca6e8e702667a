"""The stage search: writes the best values of an architecture's study, and a report of its trials."""

from pathlib import Path
from typing import Any, NamedTuple

from sentiment_rnn.files import write_json
from sentiment_rnn.params import Params
from sentiment_rnn.search.space import used_by


class Folders(NamedTuple):
    """Where a search reads and writes."""

    tokens: Path = Path("data/tokens")
    word_vectors: Path = Path("data/word_vectors")
    searches: Path = Path("searches")
    reports: Path = Path("reports/search")
    work: Path = Path("work/search")  # the study, if it is a file, and the workers' logs


def run(name: str, params: Params, n_trials: int | None = None, folders: Folders = Folders()) -> None:  # noqa: B008
    """Search an architecture's hyperparameters; write `searches/NAME.json` and the report.

    An architecture outside `search.architectures`, or with nothing to search, gets empty files: training then uses the
    values of params.yaml. It does not wait for torch and Optuna to be imported.

    Args:
        name: the architecture.
        params: the whole of params.yaml.
        n_trials: finished trials to end with, also for an architecture that is not listed; None: `search.n_trials`.
        folders: of inputs and outputs.
    """
    model, search = params.model_of(name), params.search
    listed = name in search.architectures or n_trials is not None
    if n_trials is not None:
        search = search.model_copy(update={"n_trials": n_trials})
    report: dict[str, Any] = {"architecture": name, "best": {}, "trials": []}
    if not listed:
        print(f"{name}: not in search.architectures, the values of params.yaml are used", flush=True)
    elif model.protocol == "keras_reference" or not search.n_trials or not used_by(search.space, model):
        print(f"{name}: nothing to search, the values of params.yaml are used", flush=True)
    else:
        from sentiment_rnn.data.fitting import fit_to_data
        from sentiment_rnn.search import driver
        from sentiment_rnn.search.study import Search

        fitted = fit_to_data(model, folders.tokens, params.trainer.min_steps)
        if fitted.max_epochs > model.max_epochs:  # few texts
            search = search.model_copy(update={"max_epochs": max(search.max_epochs, fitted.max_epochs)})
        report = driver.run(
            Search(
                architecture=name,
                model=fitted,
                params=search,
                trainer=params.trainer,
                tokens=folders.tokens,
                word_vectors=folders.word_vectors,
                work=folders.work / name,
            )
        )
    write_json(folders.searches / f"{name}.json", report["best"])
    write_json(folders.reports / f"{name}.json", report)
