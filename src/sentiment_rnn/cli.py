"""The command `sentiment-rnn`.

Each subcommand imports what it needs when it runs: torch and MLflow take seconds, `--help` and completion should not.
"""

import gc
import re
import sys
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentiment_rnn.errors import UserError
from sentiment_rnn.execution.environment import set_defaults
from sentiment_rnn.serving.files import FileFormat, infer_format, is_compressed
from sentiment_rnn.tracking import store_fault

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.pyfunc import PyFuncModel

set_defaults()  # here: before a command imports torch
app = typer.Typer(rich_markup_mode=None)

Port = Annotated[int, typer.Option(min=0, max=65535, help="A port of 127.0.0.1; 0 chooses a free one.")]
Reason = Annotated[str, typer.Option(help="Recorded with the version in MLflow.")]


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Two-class text classification with recurrent networks. Run it in the folder that has params.yaml."""
    if version:
        print(f"sentiment-rnn {installed_version('sentiment-rnn')}")
    elif context.invoked_subcommand is None:
        print(context.get_help())


@app.command()
def predict(
    text: Annotated[str | None, typer.Argument(help="A review.")] = None,
    file: Annotated[
        str | None,
        typer.Option(
            help="A file of reviews: .csv (column text), .jsonl (key text) or .txt (one per line), plain or .gz; "
            "- is stdin."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(help="A .csv or .jsonl file, written completely or not at all; or a pipe. Default: stdout."),
    ] = None,
    source_format: Annotated[
        FileFormat | None, typer.Option("--from", help="The format of --file. Default: its suffix; of stdin csv.")
    ] = None,
    target_format: Annotated[
        FileFormat | None, typer.Option("--to", help="csv or jsonl. Default: the suffix of --output, or csv.")
    ] = None,
) -> None:
    """Predict the label of a text, or of a file of texts.

    Prints the label and the probability of class 1 ("positive" on IMDB). In a file they become the columns label and
    probability beside the existing ones (predicted_label and predicted_probability where it has such columns). The
    model is the champion of the registry.
    """
    if (text is None) == (file is None):
        raise UserError("give a review or --file: `sentiment-rnn predict 'What a film!'`")
    if file is None:
        if output or source_format or target_format:
            raise UserError("--output, --from and --to need --file")
        gc.disable()  # a tenth of its time; this process ends at once
        from sentiment_rnn.serving.predict import predict_text

        prediction = predict_text(_load_champion()[0], text or "")
        print(f"{prediction['label']} {prediction['probability']:.4f}")
        if not prediction["known_words"]:
            print("none of its words is known: this is the label's frequency in the training data", file=sys.stderr)
        return
    source_format = infer_format(file[: -len(".gz")] if is_compressed(file) else file, source_format, "--from")
    target_format = infer_format(str(output or "-"), target_format, "--to")
    if target_format is FileFormat.TXT:
        raise UserError("predictions are written as .csv or .jsonl: choose one with --output or --to")
    if file != "-" and Path(file).is_dir():
        raise UserError(f"{file}: a folder: give a file of reviews")
    if file != "-" and not Path(file).exists():
        raise UserError(f"{file}: no such file")
    from sentiment_rnn.serving.predict import predict_file

    predict_file(_load_champion()[0], file, source_format, output, target_format)


@app.command()
def init(
    file: Annotated[Path, typer.Argument(help="CSV, JSON lines or Parquet, plain or .gz; with --test: train's.")],
    name: Annotated[str | None, typer.Option(help="Of the data set. Default: the file's.")] = None,
    text: Annotated[str | None, typer.Option(help="The column of the texts. Default: the longest one.")] = None,
    label: Annotated[str | None, typer.Option(help="The column of the labels. Default: one of few values.")] = None,
    negative: Annotated[list[str] | None, typer.Option(help="A value of class 0; may be repeated.")] = None,
    positive: Annotated[list[str] | None, typer.Option(help="A value of class 1; may be repeated.")] = None,
    validation: Annotated[Path | None, typer.Option(help="The file of validation.")] = None,
    test: Annotated[Path | None, typer.Option(help="The file of test.")] = None,
    unlabeled: Annotated[Path | None, typer.Option(help="A file of texts without labels.")] = None,
    encoding: Annotated[str, typer.Option(help="Of CSV and JSON lines.")] = "utf-8",
) -> None:
    """Add your file to params.yaml as a data set, and select it.

    Guesses its columns and classes. On a terminal, it asks which values mean which class.
    """
    from sentiment_rnn.data import init as data_init

    given = {"train": file, "validation": validation, "test": test, "unlabeled": unlabeled}
    files = {split: path for split, path in given.items() if path}
    if folders := [path for path in files.values() if path.is_dir()]:
        raise UserError(f"{folders[0]}: a folder: give one CSV, JSON-lines or Parquet file with a row for each text")
    if missing := [path for path in files.values() if not path.is_file()]:
        raise UserError(f"{missing[0]}: no such file")
    name = name or re.sub(r"[^A-Za-z0-9_-]+", "-", file.name.partition(".")[0]).strip("-_")
    guess = data_init.look(file, text, label, encoding)
    ask = (lambda question, default: str(typer.prompt(question, default))) if sys.stdin.isatty() else None
    labels = data_init.classes(guess, negative or [], positive or [], ask)
    entry = data_init.write_entry(name, files, guess, labels, encoding=encoding)
    print(f"params.yaml: datasets.{name}, selected by data.dataset:")
    for key, value in entry.items():
        print(f"  {key}: {value}")
    print(f"Next: `dvc repro download` checks it (data/card.md), `sentiment-rnn run` trains {name}-bilstm.")


@app.command()
def cross_validate(
    architecture: Annotated[str, typer.Argument(help="A key of models.")] = "bilstm",
    folds: Annotated[int, typer.Option(min=2)] = 10,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of the network per fold.")] = 1,
) -> None:
    """Evaluate an architecture and the baselines on every row.

    The rows are split into folds; each is predicted by models that were trained on the others.

    Writes reports/cross_validation.md. It needs the stage download only.
    """
    from sentiment_rnn import params

    chosen = params.load()
    from sentiment_rnn.studies.cross_validation import cross_validate as run_folds

    numbers = list(range(1, seeds + 1))
    run_folds(chosen, architecture, folds, numbers, raw=Path("data/raw"), work=Path("work/cross_validation"))


@app.command()
def explain(
    text: Annotated[str, typer.Argument(help="A review.")],
    model: Annotated[str, typer.Option(help="champion, a version number, or an architecture.")] = "champion",
    out: Annotated[Path, typer.Option(help="The plot, a .png file.")] = Path("work/explain.png"),
) -> None:
    """Show gates, states and the prediction word by word.

    Prints a table and writes a plot: the gates and the states of the recurrent layer at each word, the share of each
    word in the pooling, and the probability of the text up to that word.
    """
    from sentiment_rnn.explain import command

    command.explain(text, model, out)


@app.command()
def serve(port: Port = 5001) -> None:
    """Serve the champion over HTTP, with a page to type into."""
    from sentiment_rnn.serving.sockets import bind_socket

    with bind_socket(port) as listening:
        from sentiment_rnn.serving import page, server

        model, version = _load_champion()
        host, port = listening.getsockname()
        address = f"http://{host}:{port}"
        print(
            f"{version.name} version {version.version} on {address}/ and {address}/invocations; Ctrl-C stops it",
            flush=True,
        )
        server.serve(model, page.render(version), listening)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="For the files; made here.")],
    version: Annotated[str | None, typer.Option(help="A version number. Default: the champion.")] = None,
) -> None:
    """Write the champion's files for use without MLflow.

    model.onnx, tokenizer.json, pyfunc_model.py with the class Sentiment, and requirements.txt.
    """
    from sentiment_rnn.tracking import registry

    client, name = _registered_model()
    number = version or str(registry.require_champion(client, name).version)
    registry.export(name, number, folder)
    print(f"{name} version {number} in {folder}/; with its requirements installed, from there:")
    print("""python -c "from pyfunc_model import Sentiment
print(Sentiment('model.onnx', 'tokenizer.json').predict(['I expected nothing, but I loved it.']))\"""")


@app.command()
def ui(port: Port = 5000) -> None:
    """Serve MLflow's UI, and print links to runs and model."""
    from sentiment_rnn import params
    from sentiment_rnn.serving.ui import show_ui

    loaded = params.load()
    show_ui(loaded.data.dataset, loaded.registered_name, port)


@app.command()
def promote(
    version: Annotated[str, typer.Argument(help="A version number of the registered model.")],
    reason: Reason = "no reason given",
) -> None:
    """Make a version the champion without the gate's checks."""
    from sentiment_rnn.tracking import promotion

    print(promotion.promote_by_hand(*_registered_model(), version, reason))


@app.command()
def rollback(reason: Reason = "no reason given") -> None:
    """Make the previous champion the champion again."""
    from sentiment_rnn.tracking import promotion

    print(promotion.rollback(*_registered_model(), reason))


@app.command()
def run(
    targets: Annotated[list[str] | None, typer.Argument(help="Stages of dvc.yaml. Default: all of them.")] = None,
) -> int:
    """Run the pipeline (dvc repro), with progress.

    Without targets, and if the data set cannot be downloaded, the demo runs instead.
    """
    from sentiment_rnn.demo import run_or_demo

    return run_or_demo(targets or [])


@app.command()
def demo() -> int:
    """Run the pipeline on synthetic reviews, in demo/."""
    from sentiment_rnn.demo import demo as run_demo

    return run_demo()


def _registered_model() -> tuple["MlflowClient", str]:
    """A client of the registry, and the name of this project's model in it."""
    from sentiment_rnn import params
    from sentiment_rnn.tracking.store import connect_to_existing

    name = params.load().registered_name
    return connect_to_existing(), name


def _load_champion() -> tuple["PyFuncModel", "ModelVersion"]:
    """The champion, and its version of the registered model."""
    from sentiment_rnn.tracking import registry

    client, name = _registered_model()
    version = registry.require_champion(client, name)
    return registry.load(name, str(version.version)), version


def main() -> None:
    """Run the command; an error is one line on stderr, and status 1."""
    try:
        status = app(standalone_mode=False)
    except UserError as error:
        sys.exit(f"error: {error}")
    except typer.TyperException as error:  # an unknown option, a missing argument
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "sentiment-rnn"
        message = " ".join(error.format_message().split()).rstrip(".")
        sys.exit(f"error: {message}: see `{command} --help`")
    except Exception as error:
        if found := store_fault(error):
            sys.exit(f"error: {found}")
        raise
    sys.exit(status)


if __name__ == "__main__":
    main()
