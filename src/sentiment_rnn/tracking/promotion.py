"""Which version of the registered model is the champion: the gate that a version passes, and the way back.

The alias says which version it is, tags of the registered model how it came to be: `champion.before` holds the versions
that were champion before it, the last one last, and each move is a tag of its own, `champion.move.0001` and so on.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from sentiment_rnn.errors import UserError
from sentiment_rnn.params import GateParams
from sentiment_rnn.tracking import notes
from sentiment_rnn.tracking.registry import CHAMPION, champion, reigning

BEFORE, MOVE = "champion.before", "champion.move."  # tags of the registered model
ROLLED_BACK = "champion.rolled_back"  # tag of a version
REMEMBERED = 50  # champions: a tag holds no more than some thousand characters


class Verdict(NamedTuple):
    """Whether a version takes the alias, and why."""

    promoted: bool
    reason: str


def judge(candidate: Mapping[str, str], champion: Mapping[str, str] | None, gate: GateParams) -> Verdict:
    """Compare the tags of a candidate with the champion's.

    Args:
        candidate: `dataset`, `test.fingerprint`, `test.accuracy`, `test.ece`, `latency_ms`.
        champion: the same, as far as it has them: one that was registered long ago lacks some.
        gate: how far apart they may be.
    """
    latency = float(candidate["latency_ms"])
    if latency > gate.max_latency_ms:
        return Verdict(False, f"{latency:.1f} ms a review, the gate's bound is {gate.max_latency_ms:g}")
    if champion is None:
        return Verdict(True, "there was no champion")
    ours, theirs = candidate["dataset"], champion.get("dataset", "something unknown")
    if ours != theirs:
        return Verdict(ours == "imdb", f"trained on {ours}, the champion on {theirs}")
    if "test.accuracy" not in champion:
        return Verdict(True, "the champion was never evaluated")
    if candidate["test.fingerprint"] != champion["test.fingerprint"]:
        return Verdict(True, "the champion was tested on another corpus, which is no longer the one in use")
    accuracy, best = float(candidate["test.accuracy"]), float(champion["test.accuracy"])
    if accuracy < best:
        return Verdict(False, f"test accuracy {accuracy:.4f} is below the champion's {best:.4f}")
    better = f"test accuracy {accuracy:.4f}, the champion's {best:.4f}"
    if "test.ece" not in champion:
        return Verdict(True, f"{better}; the champion's calibration was never measured")
    ece, theirs_ece = float(candidate["test.ece"]), float(champion["test.ece"])
    calibrated = f"ECE {ece:.4f}, the champion's {theirs_ece:.4f}"
    if ece > theirs_ece + gate.max_ece_increase:
        return Verdict(False, f"{calibrated}, more than {gate.max_ece_increase:g} above it; {better}")
    return Verdict(True, f"{better}; {calibrated}; {latency:.1f} ms a review")


def promote(client: MlflowClient, name: str, version: str, measured: Mapping[str, str], gate: GateParams) -> Verdict:
    """Tag a version with what was measured, and move the alias to it if `judge` says so; the verdict becomes a tag.

    A version that was rolled back does not come back by itself, however good its figures are.
    """
    for key, value in measured.items():
        client.set_model_version_tag(name, version, key, value)
    known = client.get_model_version(name, version)
    summary = (known.description or "").split("\n\n")[0]
    client.update_model_version(name, version, notes.version(summary, known.tags))
    left, before = champion(client, name), known.tags.get(ROLLED_BACK)
    if left is not None and str(left.version) == version:
        verdict = Verdict(True, "it is the champion already")
    elif before:
        verdict = Verdict(False, f"{before}; without the tag {ROLLED_BACK} it may be champion again")
    else:
        verdict = judge(measured, left.tags if left else None, gate)
        if verdict.promoted:
            earlier = _earlier(client, name)
            if left is not None:
                earlier.append(str(left.version))
            _move(client, name, left, version, earlier, verdict.reason)
    client.set_model_version_tag(name, version, "promotion", verdict.reason)
    return verdict


def rollback(client: MlflowClient, name: str, why: str) -> str:
    """Give the alias back to the version that had it before; again, to the one before that.

    Returns:
        What was done, in a line.

    Raises:
        UserError: there is no champion, or no version is left that was one before.
    """
    left = reigning(client, name)
    version, there = (
        str(left.version),
        {str(found.version) for found in client.search_model_versions(f"name = '{name}'")},
    )
    # a version may have been deleted since; one that is the champion is where a killed move left it
    earlier = [number for number in _earlier(client, name) if number in there and number != version]
    if not earlier:
        raise UserError(f"{name} version {version} is the champion, and no version that was one before it is left")
    done = _move(client, name, left, earlier.pop(), earlier, f"rolled back: {why}")
    client.set_model_version_tag(name, version, ROLLED_BACK, done)
    return done


def _earlier(client: MlflowClient, name: str) -> list[str]:
    """The versions that were champion before the present one, the last one last."""
    return client.get_registered_model(name).tags.get(BEFORE, "").split()


def _move(
    client: MlflowClient, name: str, left: ModelVersion | None, version: str, earlier: list[str], reason: str
) -> str:
    """Move the alias, and write down who replaced whom, when and why."""
    tags = client.get_registered_model(name).tags
    number = max((int(key.removeprefix(MOVE)) for key in tags if key.startswith(MOVE)), default=0) + 1
    replaced = f"version {version} replaced version {left.version}" if left else f"version {version} is the first"
    done = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC: {replaced}: {reason}"
    client.set_registered_model_tag(name, BEFORE, " ".join(earlier[-REMEMBERED:]))
    client.set_registered_model_alias(name, CHAMPION, version)
    client.set_registered_model_tag(name, f"{MOVE}{number:04}", done)
    return done
