"""Promotion of versions to champion: through the gate, manually, and by rollback.

The alias `champion` names the version. Tags of the registered model hold its history: `champion.previous` lists the
earlier champions, the latest last, and each move of the alias has a tag, `champion.move.0001` and so on.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from sentiment_rnn.errors import UserError
from sentiment_rnn.params import GateParams
from sentiment_rnn.tracking.registry import CHAMPION, champion, require_champion

PREVIOUS, MOVE = "champion.previous", "champion.move."  # tags of the registered model
ROLLED_BACK = "champion.rolled_back"  # tag of a version
MAX_PREVIOUS = 50  # a tag is limited to 5,000 characters
SIGNIFICANT = 0.05  # of McNemar's test


class Decision(NamedTuple):
    """Whether a version becomes champion, and the reason."""

    promoted: bool
    reason: str


def decide(
    candidate: Mapping[str, str], champion: Mapping[str, str] | None, gate: GateParams, p: float | None
) -> Decision:
    """Decide whether a candidate replaces the champion.

    The criteria, in this order; the first that applies decides:

    1. The latency is above the gate's bound: refused.
    2. There is no champion, it was not evaluated on the same test split, or it cannot be loaded: promoted.
    3. The accuracy on test is significantly lower (McNemar's test): refused.
    4. The accuracies do not differ significantly, and the log loss on test is higher: refused.
    5. The calibration error is too far above the champion's: refused.
    6. Otherwise: promoted.

    Args:
        candidate: the version's tags `test.content_hash`, `test.accuracy`, `test.loss`, `test.ece`, `latency_ms`.
        champion: the champion's tags; None if there is no champion.
        gate: bounds of calibration error and latency.
        p: of McNemar's test between the two; None if the champion cannot be loaded, or was evaluated on other reviews.
    """
    latency = float(candidate["latency_ms"])
    if latency > gate.max_latency_ms:
        return Decision(False, f"{latency:.1f} ms per review, the gate's bound is {gate.max_latency_ms:g}")
    if champion is None:
        return Decision(True, "there was no champion")
    if "test.accuracy" not in champion:
        return Decision(True, "the champion was never evaluated")
    if candidate["test.content_hash"] != champion["test.content_hash"]:
        return Decision(True, "the champion was evaluated on another test split")
    if p is None:
        return Decision(True, "the champion cannot be loaded")
    (accuracy, loss, ece), (best_accuracy, best_loss, best_ece) = (
        [float(tags[f"test.{key}"]) for key in ("accuracy", "loss", "ece")] for tags in (candidate, champion)
    )
    compared = f"test accuracy {accuracy:.4f}, the champion's {best_accuracy:.4f} (McNemar's p {p:.2g})"
    if p < SIGNIFICANT and accuracy < best_accuracy:
        return Decision(False, f"worse: {compared}")
    if p >= SIGNIFICANT:
        compared = f"no significant difference: {compared}; log loss {loss:.4f}, the champion's {best_loss:.4f}"
        if loss > best_loss:
            return Decision(False, compared)
    calibrated = f"ECE {ece:.4f}, the champion's {best_ece:.4f}"
    if ece > best_ece + gate.max_ece_increase:
        return Decision(False, f"{calibrated}, more than {gate.max_ece_increase:g} above it; {compared}")
    return Decision(True, f"{compared}; {calibrated}; {latency:.1f} ms per review")


def promote(
    client: MlflowClient, name: str, version: str, measured: Mapping[str, str], gate: GateParams, p: float | None
) -> Decision:
    """Tag a version with its metrics, and move the alias to it if `decide` promotes it.

    The reason becomes its tag `promotion`. A version that was rolled back is not promoted again. For the champion
    itself the earlier reason is returned.
    """
    for key, value in measured.items():
        client.set_model_version_tag(name, version, key, value)
    known = client.get_model_version(name, version)
    current, rolled_back = champion(client, name), known.tags.get(ROLLED_BACK)
    if current is not None and str(current.version) == version:
        return Decision(True, known.tags.get("promotion", "promoted by hand"))
    if rolled_back:
        decision = Decision(False, f"{rolled_back}; `sentiment-rnn promote {version}` makes it champion again")
    else:
        decision = decide(measured, current.tags if current else None, gate, p)
    client.set_model_version_tag(name, version, "promotion", decision.reason)
    if decision.promoted:
        _move(client, name, current, version, decision.reason)
    return decision


def promote_by_hand(client: MlflowClient, name: str, version: str, reason: str) -> str:
    """Move the alias to a version without the gate.

    Returns:
        The recorded move, one line.

    Raises:
        UserError: there is no such version, or it is the champion already.
    """
    versions = {str(found.version): found for found in client.search_model_versions(f"name = '{name}'")}
    if version not in versions:
        known = ", ".join(sorted(versions, key=int)) or "none"
        raise UserError(f"{name} has no version {version}; its versions: {known}")
    current = champion(client, name)
    if current is not None and str(current.version) == version:
        raise UserError(f"{name} version {version} is the champion already")
    if ROLLED_BACK in versions[version].tags:
        client.delete_model_version_tag(name, version, ROLLED_BACK)
    move = _move(client, name, current, version, f"promoted by hand: {reason}")
    client.set_model_version_tag(name, version, "promotion", move)
    return move


def rollback(client: MlflowClient, name: str, reason: str) -> str:
    """Move the alias back to the previous champion; called again, to the one before it.

    Returns:
        The recorded move, one line.

    Raises:
        UserError: there is no champion, or no previous one.
    """
    current = require_champion(client, name)
    version = str(current.version)
    earlier = [number for number in previous_champions(client, name) if number != version]
    if not earlier:
        raise UserError(f"{name} version {version} is the champion, and no previous champion is left")
    move = _move(client, name, current, earlier.pop(), f"rolled back: {reason}", earlier)
    client.set_model_version_tag(name, version, ROLLED_BACK, move)
    return move


def previous_champions(client: MlflowClient, name: str) -> list[str]:
    """The versions that were champion before the current one and were not deleted, the latest last.

    If the process was killed during a move, the last one is the current champion.
    """
    existing = {str(found.version) for found in client.search_model_versions(f"name = '{name}'")}
    return [number for number in client.get_registered_model(name).tags.get(PREVIOUS, "").split() if number in existing]


def _move(
    client: MlflowClient,
    name: str,
    current: ModelVersion | None,
    version: str,
    reason: str,
    previous: list[str] | None = None,
) -> str:
    """Move the alias, and record the replaced version, the time and the reason as tags.

    Args:
        client: of the registry.
        name: the registered model's.
        current: the current champion.
        version: becomes champion.
        reason: part of the record.
        previous: the new list of previous champions; None: the existing list, with `current` appended.

    Returns:
        The record: time, versions, reason.
    """
    if previous is None:
        previous = previous_champions(client, name) + ([str(current.version)] if current else [])
    tags = client.get_registered_model(name).tags
    number = max((int(key.removeprefix(MOVE)) for key in tags if key.startswith(MOVE)), default=0) + 1
    replaced = f"version {version} replaced version {current.version}" if current else f"version {version} is the first"
    move = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC: {replaced}: {reason}"
    client.set_registered_model_tag(name, PREVIOUS, " ".join(previous[-MAX_PREVIOUS:]))
    client.set_registered_model_alias(name, CHAMPION, version)
    client.set_registered_model_tag(name, f"{MOVE}{number:04}", move)
    return move
