"""Cross-validation: every row is predicted once, by models that were trained without it."""

from pathlib import Path

import pytest
from conftest import shrunk_values, write_params

from pipeline import download
from sentiment_rnn import params
from sentiment_rnn.data import store
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json
from sentiment_rnn.studies.cross_validation import cross_validate


@pytest.fixture
def downloaded(project: Path) -> params.Params:
    values = shrunk_values()
    values["datasets"]["synthetic"] |= {"train": 100, "test": 50, "unsupervised": 20}
    write_params(values, project)
    download.main()
    return params.load()


def test_every_row_is_predicted_once(downloaded):
    seen = []

    def record(params_, model, architecture, seeds, work):
        train, test = (store.load_split(work / "raw", name) for name in ("train", "test"))
        assert not set(train.texts) & set(test.texts)
        assert len(train.texts) + len(test.texts) == 150
        seen.extend(test.texts)
        return predict(params_, model, architecture, seeds, work)

    from sentiment_rnn.studies import cross_validation

    predict = cross_validation._predict
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cross_validation, "_predict", record)
        cross_validate(downloaded, "lstm", 3, [1, 2], Path("data/raw"), Path("work/folds"))
    rows = [text for name in ("train", "test") for text in store.load_split("data/raw", name).texts]
    assert sorted(seen) == sorted(rows)
    report = read_json("reports/cross_validation.json")
    assert (report["dataset"], report["rows"], report["folds"]) == ("synthetic", 150, 3)
    assert set(report["models"]) == {"tfidf_logistic", "nb_logistic", "lstm, seed 1", "lstm, seed 2"}
    for row in report["models"].values():
        assert row["interval"][0] <= row["accuracy"] <= row["interval"][1]
        assert len(row["accuracy_by_fold"]) == 3
    page = Path("reports/cross_validation.md").read_text()
    assert ("ahead of" if report["difference_to_best_baseline"] > 0 else "behind") in page
    assert not Path("work/folds").exists()


def test_too_many_folds_are_refused(downloaded):
    with pytest.raises(UserError, match=r"^a class has \d+ rows: choose at most \d+ folds$"):
        cross_validate(downloaded, "lstm", 120, [1], Path("data/raw"), Path("work/folds"))
