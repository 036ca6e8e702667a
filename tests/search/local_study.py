"""Studies of the shrunk params' bilstm whose trials run in the test's own process."""

from pathlib import Path
from typing import Any

import optuna
from conftest import shrunk_values
from mlflow import MlflowClient
from mlflow.entities import Run

from sentiment_rnn import params
from sentiment_rnn.search.storage import open_storage, storage_url
from sentiment_rnn.search.study import Search, open_study, report
from sentiment_rnn.search.worker import work

VALUES = shrunk_values()
VALUES["model"]["word_vectors"] = False
VALUES["search"]["space"] = {
    "learning_rate": {"type": "float", "low": 1e-3, "high": 1e-2, "log": True},
    "dropout": {"type": "float", "low": 0.3, "high": 0.6},
}
PARAMS = params.Params.model_validate(VALUES)
BILSTM = PARAMS.model_of("bilstm")
WORD_VECTORS = Path("data/word_vectors")


class LocalStudy:
    """An opened study of an architecture, with some parameters of `search` changed.

    Attributes:
        client: MLflow's.
        storage: Optuna's.
        search: what its workers get.
    """

    def __init__(
        self,
        client: MlflowClient,
        tokens: Path,
        model: params.ModelParams = BILSTM,
        name: str = "bilstm",
        **changes: Any,
    ) -> None:
        self.client = client
        self.work = Path("work")
        search_params = PARAMS.search.model_copy(update={"min_improvement": 0.0, **changes})
        url = storage_url(search_params.storage, self.work)
        self.storage = open_storage(url)
        search = Search(
            architecture=name, model=model, params=search_params, trainer=PARAMS.trainer, tokens=tokens,
            word_vectors=WORD_VECTORS, storage=url,
        )  # fmt: skip
        self.search = open_study(client, self.storage, search, self.work)

    @property
    def study(self) -> optuna.Study:
        return optuna.load_study(storage=self.storage, study_name=self.search.study)

    def run(self) -> dict[str, Any]:
        """Run the missing trials; the report."""
        work(self.client, self.storage, self.search)
        return report(self.search, self.study)

    def runs(self) -> tuple[list[Run], list[Run]]:
        """Parent runs and child runs, each in the order of their start."""
        found = self.client.search_runs([self.client.get_experiment_by_name("synthetic-search").experiment_id])
        found = sorted(found, key=lambda run: run.info.start_time)
        children = [run for run in found if "mlflow.parentRunId" in run.data.tags]
        return [run for run in found if run not in children], children
