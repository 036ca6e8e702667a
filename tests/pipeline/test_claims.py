"""`make claims`: the page from committed results, and what is run of those that are missing, also after a kill."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT
from mlflow import MlflowClient

from pipeline import claims
from sentiment_rnn import params
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json
from sentiment_rnn.studies.claims.measure import QUICK, Study, check_sizes
from sentiment_rnn.studies.claims.plan import memory
from sentiment_rnn.studies.claims.summary import Result

sys.path.insert(0, str(ROOT / "tests/studies/claims"))
import claims_project

DIFFERENCES = {"bilstm": 2.0, "bilstm, from scratch": 2.0, "stacked_lstm": -2.0, "peephole_lstm": 0.01}
MISSING = [memory("rnn", "copy", 4), memory("lstm", "copy", 4)]


@pytest.fixture
def project(client: MlflowClient, tmp_path: Path, tokens: Path) -> dict[str, Result]:
    """The results that are committed: of all experiments but some on copy memory."""
    chosen = claims_project.make_project(tmp_path, tokens)
    results = claims_project.made_up(chosen, DIFFERENCES)
    committed = {key: one for key, one in results.items() if one.name not in MISSING or one.seed == 101}
    claims_project.write_results(committed)
    return committed


def test_a_killed_study_resumes_from_the_committed_results(
    project: dict[str, Result], client: MlflowClient, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-m", "pipeline.claims", "--quick"]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "claims: 2/6" in line:
                process.send_signal(signal.SIGKILL)
    claims.main(quick=True)
    output = capsys.readouterr().out
    before, after = len(project), len(project) + 6
    trained = re.findall(r"claims: \d+/(\d+) (.*?, seed \d)", output)
    assert 3 <= len(trained) <= 4  # the kill may come before or after the third one's end
    assert {count for count, _ in trained} == {str(len(trained))}

    report = read_json(QUICK / "claims.json")["claims"]
    verdicts = {name: claim["verdict"] for name, claim in report.items()}
    assert verdicts["stacking"] == "opposite"
    assert verdicts["peepholes"] == "equivalent"
    assert verdicts["gru-simpler"] == verdicts["bidirectional-cost"] == "supported"
    assert verdicts["vanishing-gradient"] == "supported"
    assert verdicts["gru-faster"] == "equivalent"
    effect = report["bidirectional"]["effects"]["bilstm - lstm"]
    assert effect["mean"] == pytest.approx(2.08)
    assert effect["interval"][0] < 2.08 < effect["interval"][1]
    assert "not measured" not in verdicts.values()

    text = (QUICK / "claims.md").read_text()
    for claim in report.values():
        assert claim["statement"] in text
    plots = re.findall(r"\]\((claims/.*?\.png)\)", text)
    assert len(set(plots)) == 9
    for file in plots:
        assert (QUICK / file).stat().st_size > 5_000
    assert "not IMDB" in text
    assert text.index("| claim | verdict |") < text.index("claims/effects.png") < text.index("## How to read")

    tagged = client.search_runs(["1"], "tags.`claim.copy` = 'yes'")
    assert {run.data.tags["experiment"] for run in tagged} == set(MISSING)
    assert before < len((QUICK / "claims/experiments.jsonl").read_text().splitlines()) == after

    claims.main(quick=True)
    output = capsys.readouterr().out
    assert not re.findall(r"claims: \d+/", output)
    assert (QUICK / "claims.md").read_text() == text


def test_a_study_that_is_stopped_writes_the_page_of_what_it_has(project: dict[str, Result]) -> None:
    claims_project.write_results({key: one for key, one in project.items() if one.name.startswith("cost")})
    chosen = params.load()
    study = Study(chosen.model_copy(update={"claims": chosen.claims.quickly()}), claims_project.context(chosen), QUICK)
    study.write()
    text = (QUICK / "claims.md").read_text()
    assert text.count("| not measured yet |") == 19
    assert "19 of 22 claims are not measured yet" in text
    assert "| AMD" in text or "thread, float32 | lstm |" in text


def test_sizes_above_the_number_of_reviews_are_refused(project: dict[str, Result]) -> None:
    chosen = params.load()
    with pytest.raises(UserError, match=r"claims.accuracy.learning_curve: train has 200 reviews: .* than 250"):
        check_sizes(chosen, 200)
