"""The gate as a table; promotion, its history and rollback in a real registry."""

import re
import shutil

import pytest

from sentiment_rnn.errors import UserError
from sentiment_rnn.params import GateParams
from sentiment_rnn.tracking import promotion, registry
from sentiment_rnn.tracking.store import connect

GATE = GateParams(max_ece_increase=0.01, max_latency_ms=100)


def tags(
    accuracy: float = 0.9, loss: float = 0.3, ece: float = 0.01, latency: float = 5, test_hash: str = "a"
) -> dict[str, str]:
    return {
        "test.content_hash": test_hash,
        "test.accuracy": f"{accuracy:.6f}",
        "test.loss": f"{loss:.6f}",
        "test.ece": f"{ece:.6f}",
        "latency_ms": f"{latency:.2f}",
    }


CHANCE, SURE = 0.2, 0.01  # of McNemar's test


@pytest.mark.parametrize(
    ("candidate", "champion", "p", "promoted", "reason"),
    [
        # there is nothing to compare with
        (tags(0.5), None, None, True, "there was no champion"),
        (tags(0.5), {"dataset": "imdb"}, None, True, "the champion was never evaluated"),
        (tags(0.5, ece=0.3, test_hash="b"), tags(), None, True, "the champion was evaluated on another test split"),
        # McNemar's test finds a difference
        (tags(0.89), tags(), SURE, False, "worse: test accuracy 0.8900, the champion's 0.9000 (McNemar's p 0.01)"),
        (tags(0.89, loss=0.1), tags(), SURE, False, "worse: test accuracy 0.8900"),
        (tags(0.91), tags(), SURE, True, "test accuracy 0.9100, the champion's 0.9000"),
        (tags(0.91, loss=0.5), tags(), SURE, True, "test accuracy 0.9100, the champion's 0.9000"),
        # it finds none: the log loss decides
        (tags(0.89, loss=0.29), tags(), CHANCE, True, "no significant difference: test accuracy 0.8900"),
        (tags(0.91, loss=0.31), tags(), CHANCE, False, "log loss 0.3100, the champion's 0.3000"),
        (tags(0.91, loss=0.31), tags(), 0.05, False, "log loss 0.3100, the champion's 0.3000"),
        (tags(), tags(), 1.0, True, "no significant difference"),
        # calibration: a bound relative to the champion's
        (tags(0.92, ece=0.0200), tags(), SURE, True, "ECE 0.0200, the champion's 0.0100; 5.0 ms per review"),
        (tags(0.92, ece=0.0201), tags(), SURE, False, "ECE 0.0201, the champion's 0.0100, more than 0.01 above it"),
        (tags(loss=0.2, ece=0.0201), tags(), CHANCE, False, "more than 0.01 above it"),
        # latency: an absolute bound
        (tags(latency=100), tags(), CHANCE, True, "100.0 ms per review"),
        (tags(1.0, latency=100.01), tags(), SURE, False, "100.0 ms per review, the gate's bound is 100"),
        (tags(latency=250), None, None, False, "250.0 ms per review, the gate's bound is 100"),
    ],
)
def test_the_gate(candidate, champion, p, promoted, reason):
    verdict = promotion.decide(candidate, champion, GATE, p)
    assert verdict.promoted is promoted
    assert reason in verdict.reason


@pytest.fixture(scope="module")
def client(tmp_path_factory, empty_store):
    folder = tmp_path_factory.mktemp("promotion")
    shutil.copytree(empty_store, folder / "mlruns")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlruns/mlflow.db")
        yield connect()


def registered(client, name: str, count: int) -> list[str]:
    """`count` versions of a model, empty ones: promotion reads their tags alone."""
    client.create_registered_model(name)
    return [str(client.create_model_version(name, f"file:///nowhere/{number}").version) for number in range(count)]


def promote(client, name, version, accuracy=0.9, p=SURE, **changes):
    return promotion.promote(client, name, version, tags(accuracy, **changes), GATE, p)


def champion(client, name: str) -> str:
    return str(client.get_model_version_by_alias(name, "champion").version)


def moves(client, name: str) -> list[str]:
    """The recorded moves, without their times."""
    tags = client.get_registered_model(name).tags
    recorded = [tags[key] for key in sorted(tags) if key.startswith("champion.move.")]
    stamp = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC: ")
    assert all(stamp.match(move) for move in recorded), recorded
    return [stamp.sub("", move) for move in recorded]


def test_the_alias_moves_to_an_admitted_version_alone(client):
    assert registry.champion(client, "film") is None
    first, worse, better, equal, slow = registered(client, "film", 5)
    assert registry.champion(client, "film") is None
    assert promote(client, "film", first).promoted
    assert not promote(client, "film", worse, 0.89).promoted
    assert champion(client, "film") == first
    assert promote(client, "film", better, 0.91).promoted
    assert not promote(client, "film", equal, 0.91, p=CHANCE, loss=0.4).promoted
    assert not promote(client, "film", slow, 1.0, latency=101).promoted
    assert champion(client, "film") == better


def test_the_metrics_and_the_reason_become_tags(client):
    first, worse = registered(client, "tagged", 2)
    promote(client, "tagged", first)
    verdict = promote(client, "tagged", worse, 0.89)
    found = client.get_model_version("tagged", worse)
    assert found.tags == {**tags(0.89), "promotion": verdict.reason}
    client.set_model_version_tag("tagged", worse, "dataset", "imdb")
    registry.update_model_card(client, "tagged", worse)
    assert "| accuracy |  | 0.8900 |" in client.get_model_version("tagged", worse).description


def test_evaluating_the_champion_again_changes_nothing(client):
    (only,) = registered(client, "again", 1)
    verdict = promote(client, "again", only)
    before = client.get_model_version("again", only).tags
    assert promote(client, "again", only, p=None) == verdict == (True, "there was no champion")
    assert client.get_model_version("again", only).tags == before
    assert moves(client, "again") == [f"version {only} is the first: there was no champion"]


def test_promotion_by_hand_ignores_the_gate_and_is_recorded(client):
    first, worse = registered(client, "hand", 2)
    promote(client, "hand", first)
    promote(client, "hand", worse, 0.5)
    done = promotion.promote_by_hand(client, "hand", worse, "it is smaller")
    assert done.endswith(f"version {worse} replaced version {first}: promoted by hand: it is smaller")
    assert champion(client, "hand") == worse
    assert promote(client, "hand", worse, 0.5) == (True, done)
    with pytest.raises(UserError, match=rf"^hand version {worse} is the champion already$"):
        promotion.promote_by_hand(client, "hand", worse, "again")
    with pytest.raises(UserError, match=rf"^hand has no version 9; its versions: {first}, {worse}$"):
        promotion.promote_by_hand(client, "hand", "9", "why not")
    promotion.rollback(client, "hand", "too bad")
    assert champion(client, "hand") == first


def test_rollback_goes_back_through_all_earlier_champions_and_is_recorded(client):
    one, two, worse, four = registered(client, "back", 4)
    for version, accuracy in ((one, 0.90), (two, 0.91), (worse, 0.80), (four, 0.92)):
        promote(client, "back", version, accuracy)
    assert champion(client, "back") == four
    done = promotion.rollback(client, "back", "too slow")
    assert f"version {two} replaced version {four}: rolled back: too slow" in done
    assert champion(client, "back") == two
    promotion.rollback(client, "back", "it is too")
    assert champion(client, "back") == one
    with pytest.raises(UserError, match=rf"^back version {one} is the champion, and no previous champion is left$"):
        promotion.rollback(client, "back", "and so is this")
    assert champion(client, "back") == one
    gate = "(McNemar's p 0.01); ECE 0.0100, the champion's 0.0100; 5.0 ms per review"
    assert moves(client, "back") == [
        f"version {one} is the first: there was no champion",
        f"version {two} replaced version {one}: test accuracy 0.9100, the champion's 0.9000 {gate}",
        f"version {four} replaced version {two}: test accuracy 0.9200, the champion's 0.9100 {gate}",
        f"version {two} replaced version {four}: rolled back: too slow",
        f"version {one} replaced version {two}: rolled back: it is too",
    ]


def test_a_version_that_was_rolled_back_is_promoted_again_by_hand_alone(client):
    old, bad = registered(client, "stays", 2)
    promote(client, "stays", old)
    promote(client, "stays", bad, 0.95)
    done = promotion.rollback(client, "stays", "too slow")
    verdict = promote(client, "stays", bad, 0.95)
    assert verdict == (False, f"{done}; `sentiment-rnn promote {bad}` makes it champion again")
    assert champion(client, "stays") == old
    promotion.promote_by_hand(client, "stays", bad, "it is faster now")
    assert champion(client, "stays") == bad
    promotion.promote_by_hand(client, "stays", old, "safer")
    assert promote(client, "stays", bad, 0.95).promoted


def test_rollback_skips_a_deleted_version(client):
    one, two, three = registered(client, "deleted", 3)
    for version in (one, two, three):
        promote(client, "deleted", version)
    client.delete_model_version("deleted", two)
    promotion.rollback(client, "deleted", "why not")
    assert champion(client, "deleted") == one


def test_a_move_that_was_killed_before_the_alias_moved_can_be_repeated_or_rolled_back(client, monkeypatch):
    one, two, three = registered(client, "killed", 3)
    promote(client, "killed", one)
    promote(client, "killed", two)
    with monkeypatch.context() as patch:
        patch.setattr(type(client), "set_registered_model_alias", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            promote(client, "killed", three)
    assert champion(client, "killed") == two
    assert len(moves(client, "killed")) == 2
    promotion.rollback(client, "killed", "why not")
    assert champion(client, "killed") == one


def test_without_a_champion_rollback_is_refused_and_the_cure_is_named(client):
    registered(client, "none", 1)
    with pytest.raises(UserError, match=r"^none has no champion in sqlite:.*: `sentiment-rnn run evaluate`") as caught:
        promotion.rollback(client, "none", "why")
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match=r"^nosuch has no champion"):
        promotion.rollback(client, "nosuch", "why")
