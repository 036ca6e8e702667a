"""What MLflow's pages say in words: what a run is and how to have it again, what the registered model is."""

from collections.abc import Mapping
from typing import Any

MODEL = """\
Sentiment of a film review: raw text in, `label` (negative, positive) and `probability` (of positive, calibrated) out.

```python
mlflow.pyfunc.load_model("models:/{name}@champion").predict(["What a film!"])
```

The alias `champion` moves to a version that is as good on test, as well calibrated and quick enough; each version's tag
`promotion` says why it became the champion or did not. A version's figures and what it was made of are its tags."""

MODEL_TAGS = {
    "task": "sentiment of film reviews",
    "language": "English",
    "input": "raw text",
    "output": "label, probability",
}


def corpus(dataset: str) -> str:
    """The name of what a model was trained on; the sample is never called IMDB."""
    return "IMDB" if dataset == "imdb" else "the generated sample corpus, NOT IMDB"


def run(name: str, params: Mapping[str, Any], tags: Mapping[str, str]) -> str:
    """A run's description.

    Args:
        name: the run's.
        params: what it runs with.
        tags: the run's; of them `dataset`, `architecture`, `reproduce`, `trial`, those of `runs.code_tags` and MLflow's
            own note, which is kept, are read.
    """
    lines = [f"**{name}** on {corpus(tags['dataset'])}{_network(params)}."]
    if said := tags.get("mlflow.note.content"):
        lines.append(said)
    command = tags.get("reproduce")
    if "trial" in tags:
        command = f"dvc repro search@{tags['architecture']}"
        lines.append("One trial of the study that its parent run shows; *Parameters* has the values that it drew.")
    if experiment := tags.get("dvc.experiment"):
        lines.append(f"DVC's experiment `{experiment}`; to have it again: `dvc exp apply {experiment}`")
    elif command and (commit := tags.get("mlflow.source.git.commit")):
        lines.append(f"To have it again: `git checkout {commit[:12]} && {command}`")
        if tags["git.dirty"] == "true":
            lines.append("The code that ran differed from that commit.")
    return "\n\n".join(lines)


def _network(params: Mapping[str, Any]) -> str:
    if not {"cell", "bidirectional", "num_layers", "hidden_size", "pooling"} <= params.keys():
        return ""  # a linear baseline, or a trial, which has the values that it drew
    directions = "in both directions" if params["bidirectional"] else "in one direction"
    layers = "1 layer" if params["num_layers"] == 1 else f"{params['num_layers']} layers"
    pooling = " and ".join(params["pooling"])
    return f": {params['cell']} {directions}, {layers} of {params['hidden_size']} units, {pooling} pooling"


def version(summary: str, tags: Mapping[str, str]) -> str:
    """A registered version's description: its summary, and the figures among its tags that are known so far."""

    def figure(key: str) -> str:
        return f"{float(tags[key]):.4f}" if key in tags else ""

    rows = [
        f"| {measure} | {figure(f'validation.{key}')} | {figure(f'test.{key}')} |"
        for measure, key in (("accuracy", "accuracy"), ("log loss", "loss"), ("calibration error", "ece"))
    ]
    return "\n".join([f"{summary}\n", "| | validation | test |", "|---|---|---|", *rows])
