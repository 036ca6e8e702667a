"""Which version is the champion: the gate as a table; the alias, its history and the way back in a real registry."""

import re
import shutil

import pytest

from sentiment_rnn.errors import UserError
from sentiment_rnn.params import GateParams
from sentiment_rnn.tracking import promotion, registry
from sentiment_rnn.tracking.store import connect

GATE = GateParams(max_ece_increase=0.01, max_latency_ms=100)


def tags(
    dataset: str = "imdb", accuracy: float = 0.9, content_hash: str = "f", ece: float = 0.01, latency: float = 5
) -> dict[str, str]:
    return {
        "dataset": dataset,
        "test.content_hash": content_hash,
        "test.accuracy": f"{accuracy:.6f}",
        "test.ece": f"{ece:.6f}",
        "latency_ms": f"{latency:.2f}",
    }


def without(key: str, **changes) -> dict[str, str]:
    return {name: value for name, value in tags(**changes).items() if name != key}


@pytest.mark.parametrize(
    ("candidate", "champion", "promoted", "reason"),
    [
        (tags(), None, True, "there was no champion"),
        (tags(), {}, True, "the champion on something unknown"),
        (tags("sample"), {"dataset": "imdb"}, False, "trained on sample, the champion on imdb"),
        (tags(), {"dataset": "imdb"}, True, "the champion was never evaluated"),
        (tags("sample"), None, True, "there was no champion"),
        (tags(accuracy=0.91), tags(accuracy=0.90), True, "test accuracy 0.9100, the champion's 0.9000"),
        (tags(accuracy=0.90), tags(accuracy=0.90), True, "test accuracy 0.9000, the champion's 0.9000"),
        (tags(accuracy=0.89), tags(accuracy=0.90), False, "0.8900 is below the champion's 0.9000"),
        (tags("sample", 1.0), tags("imdb", 0.5), False, "trained on sample, the champion on imdb"),
        (tags("imdb", 0.5), tags("sample", 1.0), True, "trained on imdb, the champion on sample"),
        (tags("sample", 0.5, "new"), tags("sample", 0.9, "old"), True, "tested on another corpus"),
        (tags("sample", 1.0, "new"), tags("imdb", 0.5, "old"), False, "trained on sample"),
        (tags(accuracy=0.1000), tags(accuracy=0.0999), True, "test accuracy 0.1000"),
        # calibration: a bound over the champion's, where that was measured on the same reviews
        (tags(accuracy=0.92, ece=0.0200), tags(ece=0.01), True, "ECE 0.0200, the champion's 0.0100; 5.0 ms a review"),
        (tags(accuracy=0.92, ece=0.0201), tags(ece=0.01), False, "ECE 0.0201, the champion's 0.0100, more than 0.01"),
        (tags(accuracy=0.92, ece=0.0), tags(ece=0.3), True, "ECE 0.0000, the champion's 0.3000"),
        (tags(ece=0.3), without("test.ece"), True, "the champion's calibration was never measured"),
        (tags(ece=0.3), tags(ece=0.01, content_hash="old"), True, "tested on another corpus"),
        (tags(accuracy=0.89, ece=0.3), tags(), False, "test accuracy 0.8900 is below"),
        # latency: a bound that stands whoever is champion
        (tags(latency=100), tags(), True, "100.0 ms a review"),
        (tags(accuracy=1.0, latency=100.01), tags(), False, "100.0 ms a review, the gate's bound is 100"),
        (tags(latency=250), None, False, "250.0 ms a review, the gate's bound is 100"),
        (tags(latency=250), tags("sample"), False, "250.0 ms a review, the gate's bound is 100"),
        (tags(accuracy=0.91), without("latency_ms"), True, "test accuracy 0.9100"),
    ],
)
def test_the_gate(candidate, champion, promoted, reason):
    verdict = promotion.judge(candidate, champion, GATE)
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


def promote(client, name, version, **measured):
    return promotion.promote(client, name, version, tags(**measured), GATE)


def champion(client, name: str) -> str:
    return str(client.get_model_version_by_alias(name, "champion").version)


def moves(client, name: str) -> list[str]:
    """What was written down of each move, without when."""
    tags = client.get_registered_model(name).tags
    written = [tags[key] for key in sorted(tags) if key.startswith("champion.move.")]
    stamp = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC: ")
    assert all(stamp.match(move) for move in written), written
    return [stamp.sub("", move) for move in written]


def test_the_alias_moves_to_a_version_that_is_as_good_and_stays_otherwise(client):
    assert registry.champion(client, "film") is None
    first, worse, equal, sample, slow, unsure = registered(client, "film", 6)
    assert registry.champion(client, "film") is None
    assert promote(client, "film", first).promoted
    assert champion(client, "film") == first
    assert not promote(client, "film", worse, accuracy=0.89).promoted
    assert champion(client, "film") == first
    assert promote(client, "film", equal).promoted
    assert champion(client, "film") == equal
    assert not promote(client, "film", sample, dataset="sample", accuracy=1.0).promoted
    assert not promote(client, "film", slow, accuracy=1.0, latency=101).promoted
    assert not promote(client, "film", unsure, accuracy=1.0, ece=0.1).promoted
    assert champion(client, "film") == equal


def test_the_measured_figures_and_the_verdict_become_tags(client):
    first, worse = registered(client, "tagged", 2)
    promote(client, "tagged", first)
    verdict = promote(client, "tagged", worse, accuracy=0.89)
    found = client.get_model_version("tagged", worse)
    assert found.tags == {**tags(accuracy=0.89), "promotion": verdict.reason}
    assert "| accuracy |  | 0.8900 |" in found.description


def test_imdb_takes_over_from_the_sample(client):
    sample, imdb = registered(client, "replaced", 2)
    promote(client, "replaced", sample, dataset="sample", accuracy=1.0)
    promote(client, "replaced", imdb, accuracy=0.5)
    assert champion(client, "replaced") == imdb


def test_the_champion_evaluated_again_is_not_compared_with_itself(client):
    (only,) = registered(client, "again", 1)
    promote(client, "again", only)
    assert promote(client, "again", only) == (True, "it is the champion already")
    assert champion(client, "again") == only
    assert moves(client, "again") == [f"version {only} is the first: there was no champion"]


def test_rolling_back_walks_back_through_all_that_were_champion_and_says_so(client):
    one, two, worse, four = registered(client, "back", 4)
    for version, accuracy in ((one, 0.90), (two, 0.91), (worse, 0.80), (four, 0.92)):
        promote(client, "back", version, accuracy=accuracy)
    assert champion(client, "back") == four
    done = promotion.rollback(client, "back", "it shouts")
    assert f"version {two} replaced version {four}: rolled back: it shouts" in done
    assert champion(client, "back") == two
    promotion.rollback(client, "back", "so does this")
    assert champion(client, "back") == one
    with pytest.raises(UserError, match=rf"^back version {one} is the champion, and no version .* is left$"):
        promotion.rollback(client, "back", "and this")
    assert champion(client, "back") == one
    better = "ECE 0.0100, the champion's 0.0100; 5.0 ms a review"
    assert moves(client, "back") == [
        f"version {one} is the first: there was no champion",
        f"version {two} replaced version {one}: test accuracy 0.9100, the champion's 0.9000; {better}",
        f"version {four} replaced version {two}: test accuracy 0.9200, the champion's 0.9100; {better}",
        f"version {two} replaced version {four}: rolled back: it shouts",
        f"version {one} replaced version {two}: rolled back: so does this",
    ]


def test_what_was_rolled_back_stays_away_until_a_person_says_otherwise(client):
    old, bad = registered(client, "stays", 2)
    promote(client, "stays", old)
    promote(client, "stays", bad, accuracy=0.95)
    done = promotion.rollback(client, "stays", "it shouts")
    verdict = promote(client, "stays", bad, accuracy=0.95)
    assert not verdict.promoted
    assert verdict.reason == f"{done}; without the tag champion.rolled_back it may be champion again"
    assert champion(client, "stays") == old
    client.delete_model_version_tag("stays", bad, "champion.rolled_back")
    assert promote(client, "stays", bad, accuracy=0.95).promoted
    promotion.rollback(client, "stays", "still")
    assert champion(client, "stays") == old


def test_a_version_that_was_deleted_is_passed_over(client):
    one, two, three = registered(client, "deleted", 3)
    for version in (one, two, three):
        promote(client, "deleted", version)
    client.delete_model_version("deleted", two)
    promotion.rollback(client, "deleted", "why not")
    assert champion(client, "deleted") == one


def test_a_move_that_was_killed_before_the_alias_moved_leaves_the_way_back(client, monkeypatch):
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


def test_without_a_champion_there_is_no_way_back_and_the_cure_is_named(client):
    registered(client, "none", 1)
    with pytest.raises(UserError, match=r"^none has no champion in sqlite:.*: `make run`") as caught:
        promotion.rollback(client, "none", "why")
    assert "\n" not in str(caught.value)
    with pytest.raises(UserError, match=r"^nosuch has no champion"):
        promotion.rollback(client, "nosuch", "why")
