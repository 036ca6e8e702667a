"""MLflow: store, runs, registry, promotion. The package itself imports without MLflow, which takes seconds."""

import sys

from sentiment_rnn.errors import UserError


def store_fault(error: BaseException) -> UserError | None:
    """An exception of MLflow's in one line, if it is a fault of the store: `faults.explain`."""
    mlflow = sys.modules.get("mlflow.exceptions")
    if mlflow is None or not isinstance(error, mlflow.MlflowException):
        return None
    from sentiment_rnn.tracking import faults

    return faults.explain(error)
