"""Studies of the shrunk params' bilstm whose trials run in the test's own process."""

from pathlib import Path
from typing import Any

from conftest import shrunk_values
from mlflow import MlflowClient
from mlflow.entities import Run

from sentiment_rnn import params
from sentiment_rnn.execution import Engine
from sentiment_rnn.execution.local import LocalEngine
from sentiment_rnn.search.driver import Driver
from sentiment_rnn.search.storage import open_storage
from sentiment_rnn.search.study import Search, open_study, report

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
        study: Optuna's.
        run_id: of the study's run.
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
        self.search = Search(
            architecture=name, model=model, trainer=PARAMS.trainer, tokens=tokens, word_vectors=WORD_VECTORS,
            params=PARAMS.search.model_copy(update={"min_improvement": 0.0, **changes}), work=Path("work"),
        )  # fmt: skip
        self.storage = open_storage(self.search.storage)
        self.study = open_study(client, self.storage, self.search)
        self.run_id = self.study.user_attrs["run_id"]

    def driver(self) -> Driver:
        """A new driver: what the one before left running counts as killed."""
        return Driver(self.client, self.search, self.study)

    def run(self, engine: Engine | None = None) -> dict[str, Any]:
        """Run the missing trials, in this process unless an engine is given; the report."""
        driver = self.driver()
        with driver.running_parent(), engine or LocalEngine(1, [], 1, self.search.work) as slots:
            driver.run(slots, lambda: None)
        return report(self.search, self.study)

    def runs(self) -> tuple[list[Run], list[Run]]:
        """Parent runs and child runs, each in the order of their start."""
        found = self.client.search_runs([self.client.get_experiment_by_name("synthetic-search").experiment_id])
        found = sorted(found, key=lambda run: run.info.start_time)
        children = [run for run in found if "mlflow.parentRunId" in run.data.tags]
        return [run for run in found if run not in children], children
