"""`make ablation` on the synthetic corpus: the table and the plot; only missing trainings are run."""

from pathlib import Path

import numpy as np
import pytest
from conftest import shrunk_values, write_params
from mlflow import MlflowClient

from pipeline import ablation
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json
from sentiment_rnn.training import distillation


def write(folder: Path, **variants) -> None:
    values = shrunk_values()
    values["ablation"] |= {"workers": 1, "model": {"word_vectors": False, "max_epochs": 1}, "variants": variants}
    write_params(values, folder)


def test_a_new_variant_is_all_that_is_trained_the_second_time(
    client: MlflowClient, tokens: Path, tmp_path: Path, capsys
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/tokens").symlink_to(tokens)
    distillation.save(np.linspace(0.1, 0.9, 20), tokens, Path("data/pseudo_labels/best"))
    write(tmp_path, alone={"teachers": []})
    ablation.main()
    assert "ablation: 6/6 alone, seed 3: final validation loss" in capsys.readouterr().out
    metrics = read_json("reports/ablation.json")["variants"]
    assert set(metrics) == {"unchanged", "alone"}
    table = Path("reports/ablation.md").read_text()
    assert f"| alone | {100 * metrics['alone']['validation_accuracy']:.2f} |" in table
    assert "validation reviews of synthetic" in table
    assert Path("reports/ablation.png").stat().st_size > 5_000

    write(tmp_path, alone={"teachers": []}, **{"last state": {"teachers": [], "pooling": ["last"]}})
    ablation.main(["alone"])
    assert "ablation: 6 of 6 trainings finished" in capsys.readouterr().out
    assert "Not measured: last state." in Path("reports/ablation.md").read_text()
    with pytest.raises(UserError, match=r"ablation\.variants has no 'first state'; it has 'alone', 'last state'"):
        ablation.main(["first state"])
    ablation.main()
    assert "ablation: 6 of 9 trainings finished" in capsys.readouterr().out
    assert read_json("reports/ablation.json")["variants"]["alone"] == metrics["alone"]
    assert len(client.search_runs([client.get_experiment_by_name("synthetic-ablation").experiment_id])) == 9


def test_without_reviews_the_error_names_the_missing_folder(client: MlflowClient, project: Path) -> None:
    with pytest.raises(UserError, match="data/tokens"):
        ablation.main()
