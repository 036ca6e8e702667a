"""`make ablation` on the sample: the table and the picture; what is done is not done again."""

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
    values["ablation"] |= {"workers": 1, "model": {"pretrained": False, "max_epochs": 1}, "variants": variants}
    write_params(values, folder)


def test_the_table_has_each_variant_and_a_new_one_is_all_that_is_trained(
    client: MlflowClient, tokens: Path, tmp_path: Path, capsys
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/tokens").symlink_to(tokens)
    distillation.save(np.linspace(0.1, 0.9, 20), tokens, Path("data/taught/best"))
    write(tmp_path, untaught={"teachers": []})
    ablation.main()
    assert "ablation: 6/6 untaught, seed 3: final validation loss" in capsys.readouterr().out
    figures = read_json("reports/ablation.json")["variants"]
    assert set(figures) == {"the recipe", "untaught"}
    table = Path("reports/ablation.md").read_text()
    assert f"| untaught | {100 * figures['untaught']['validation_accuracy']:.2f} |" in table
    assert "sample's validation reviews" in table
    assert Path("reports/ablation.png").stat().st_size > 5_000

    write(tmp_path, untaught={"teachers": []}, **{"last state": {"teachers": [], "pooling": ["last"]}})
    ablation.main()
    said = capsys.readouterr().out
    assert "ablation: 6 of 9 trainings done" in said
    assert read_json("reports/ablation.json")["variants"]["untaught"] == figures["untaught"]
    assert len(client.search_runs([client.get_experiment_by_name("sample-ablation").experiment_id])) == 9


def test_without_reviews_it_says_so_in_one_line(client: MlflowClient, project: Path) -> None:
    with pytest.raises(UserError, match="data/tokens"):
        ablation.main()
