"""Descriptions that MLflow's pages show: of runs, with the command that reproduces each, and of registered models."""

from collections.abc import Mapping
from typing import Any

MODEL = """\
Two-class text classification: raw text in; `label`, the calibrated `probability` of the second class (a version's tag
`classes` has the names of both) and the number of `known_words` out.

```python
mlflow.pyfunc.load_model("models:/{name}@champion").predict(["I expected nothing, but I loved it."])
```

A version becomes `champion` if it is not worse than the champion on test, as well calibrated and fast enough; the tag
`promotion` of each version gives the reason. The metrics of a version and its origin are its tags."""

BEHAVIOUR = "behaviour."  # a version's tags with failure rates

MODEL_TAGS = {
    "task": "two-class text classification",
    "input": "raw text",
    "output": "label, probability, known_words",
}


def corpus(dataset: str) -> str:
    """The display name of a data set; synthetic reviews are never called IMDB."""
    return {"imdb": "IMDB", "synthetic": "synthetic reviews (NOT IMDB)"}.get(dataset, dataset)


def run(name: str, params: Mapping[str, Any], tags: Mapping[str, str]) -> str:
    """Describe a run.

    Args:
        name: the run's.
        params: of the run.
        tags: of the run. Used are `dataset`, `architecture`, `reproduce`, `trial`, those of `runs.code_tags`, and
            `mlflow.note.content`, which is included.
    """
    lines = [f"**{name}** on {corpus(tags['dataset'])}{_network(params)}."]
    if note := tags.get("mlflow.note.content"):
        lines.append(note)
    command = tags.get("reproduce")
    if "trial" in tags:
        command = f"dvc repro search@{tags['architecture']}"
        lines.append("A trial of the study of its parent run; *Parameters* contains the sampled values.")
    if experiment := tags.get("dvc.experiment"):
        lines.append(f"To reproduce it (DVC experiment `{experiment}`): `dvc exp apply {experiment}`")
    elif command and (commit := tags.get("mlflow.source.git.commit")):
        lines.append(f"To reproduce it: `git checkout {commit[:12]} && {command}`")
        if tags["git.dirty"] == "true":
            lines.append("The code had uncommitted changes.")
    return "\n\n".join(lines)


def _network(params: Mapping[str, Any]) -> str:
    if not {"cell", "bidirectional", "num_layers", "hidden_size", "pooling"} <= params.keys():
        return ""  # a linear baseline, or a trial, whose params are the sampled values alone
    directions = "bidirectional" if params["bidirectional"] else "unidirectional"
    layers = "1 layer" if params["num_layers"] == 1 else f"{params['num_layers']} layers"
    pooling = " and ".join(params["pooling"])
    return f": {directions} {params['cell']}, {layers} of {params['hidden_size']} units, {pooling} pooling"


def version(summary: str, tags: Mapping[str, str]) -> str:
    """The model card of a registered version (Mitchell et al., 2019, "Model cards for model reporting").

    Args:
        summary: one paragraph.
        tags: of the version. Used are `dataset`, the metrics, and the failure rates on the behaviour suite.
    """

    def metric(key: str) -> str:
        return f"{float(tags[key]):.4f}" if key in tags else ""

    rows = [
        f"| {label} | {metric(f'validation.{key}')} | {metric(f'test.{key}')} |"
        for label, key in (("accuracy", "accuracy"), ("log loss", "loss"), ("expected calibration error", "ece"))
    ]
    return "\n".join([f"{summary}\n", "| | validation | test |", "|---|---|---|", *rows, *_limits(tags)])


def _limits(tags: Mapping[str, str]) -> list[str]:
    """What a version is for and not for, with its failure rates."""
    lines = [
        "",
        f"**For** texts like those of {corpus(tags['dataset'])}, in their language, one at a time.",
        "**Not for** other languages or subjects, for opinions on several things in one text, or for decisions about "
        "the people who wrote or are mentioned in a text. The probability says how sure the model is of "
        "a label, not how strong an opinion is.",
    ]
    rates = {key.removeprefix(BEHAVIOUR): value for key, value in tags.items() if key.startswith(BEHAVIOUR)}
    if rates:
        lines += [
            "",
            "Failure rates on the behaviour suite, generated English sentences on films (docs/evaluation.md):",
            "",
            "| capability | fails, % |",
            "|---|---:|",
            *(f"| {name.replace('_', ' ')} | {100 * float(rate):.1f} |" for name, rate in rates.items()),
        ]
    if "short_texts.accuracy" in tags:
        accuracy, confidence = (100 * float(tags[f"short_texts.{key}"]) for key in ("accuracy", "mean_confidence"))
        lines += [
            "",
            f"On the suite's short texts it is right {accuracy:.1f}% of the time, at a mean confidence of "
            f"{confidence:.1f}%.",
        ]
    return lines
