"""The command `sentiment-rnn`: ask the champion, look into its cells, serve it, roll it back.

What a command needs is imported when it is run: torch and MLflow take seconds, `--help` should not.
"""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sentiment_rnn.errors import UserError
from sentiment_rnn.serving.files import Kind, kind_of

if TYPE_CHECKING:
    from mlflow.pyfunc import PyFuncModel

os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # pipeline/__init__.py says why
app = typer.Typer(
    help="Ask the champion, look into its cells, serve it, roll it back. Run from the project's root.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def predict(
    text: Annotated[str | None, typer.Argument(help="One review.")] = None,
    file: Annotated[
        str | None,
        typer.Option(
            help="Reviews: .csv (a column `text`), .jsonl (a key `text`), .txt (a review a line); -: standard input."
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="A .csv or .jsonl, written whole or not at all. Else: standard output.")
    ] = None,
    read: Annotated[
        Kind | None, typer.Option("--from", help="What --file is; else its name says it. Of standard input: csv.")
    ] = None,
    write: Annotated[
        Kind | None, typer.Option("--to", help="csv or jsonl; else --output's name says it, or it is csv.")
    ] = None,
) -> None:
    """What the champion says of a review, or of every review of a file: the label, and how likely it is positive."""
    if (text is None) == (file is None):
        raise typer.BadParameter("a review, or --file: sentiment-rnn predict 'What a film!'")
    if file is None:
        if output or read or write:
            raise typer.BadParameter("--output, --from and --to belong to --file")
        from sentiment_rnn.serving.predict import one

        answer = one(_champion()[0], text or "")
        print(f"{answer['label']} {answer['probability']:.4f}")
        return
    source, target = kind_of(file, read), kind_of(str(output or "-"), write)
    if target is Kind.TXT:
        raise typer.BadParameter("what is written is .csv or .jsonl")
    if file != "-" and not Path(file).is_file():
        raise UserError(f"{file}: no such file")
    from sentiment_rnn.serving.predict import many

    many(_champion()[0], file, source, output, target)


@app.command()
def inspect(
    text: Annotated[str, typer.Argument(help="A review.")],
    model: Annotated[str, typer.Option(help="champion, a version's number, or an architecture.")] = "champion",
    out: Annotated[Path, typer.Option(help="The picture, a PNG.")] = Path("work/inspect.png"),
) -> None:
    """What happens inside a model's cells, word by word: a table and a picture."""
    from sentiment_rnn.explain.show import show

    show(text, model, out)


@app.command()
def serve(port: Annotated[int, typer.Option(help="Of 127.0.0.1; 0: a free one.")] = 5001) -> None:
    """The champion over HTTP, for this machine alone."""
    from sentiment_rnn.serving.server import listen
    from sentiment_rnn.serving.server import serve as answer

    with listen(port) as listening:
        model, which = _champion()
        host, port = listening.getsockname()
        print(f"{which} on http://{host}:{port}/invocations; Ctrl-C ends it", flush=True)
        answer(model, listening)


@app.command()
def rollback(reason: Annotated[str, typer.Option(help="Why; it becomes a tag.")] = "no reason given") -> None:
    """Make the version champion again that was it before; again: the one before that."""
    from sentiment_rnn import params
    from sentiment_rnn.tracking import promotion
    from sentiment_rnn.tracking.store import connect_to_existing

    name = params.load().registered_name
    print(promotion.rollback(connect_to_existing(), name, reason))


def _champion() -> tuple["PyFuncModel", str]:
    """The champion and what it is called."""
    from sentiment_rnn import params
    from sentiment_rnn.tracking import registry
    from sentiment_rnn.tracking.store import connect_to_existing

    name = params.load().registered_name
    version = str(registry.require_champion(connect_to_existing(), name).version)
    return registry.load(name, version), f"{name} version {version}"


def main() -> None:
    """As `pipeline` does: a mistake of the user's is told in one line."""
    try:
        app()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
