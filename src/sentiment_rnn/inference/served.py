"""The registered model, as MLflow's "model from code": this file is logged and run where the model is loaded.

It needs mlflow, torch, tokenizers and safetensors; the parts of this project that it imports travel with it.
"""

from typing import Any

import mlflow
from mlflow.pyfunc import PythonModel, PythonModelContext

from sentiment_rnn.inference.predictor import Predictor


class SentimentModel(PythonModel):
    """Raw review texts in; for each the label, and the probability that it is positive, out."""

    def load_context(self, context: PythonModelContext) -> None:
        self.predictor = Predictor(context.artifacts["model"], context.artifacts["tokenizer"])

    def predict(self, context: PythonModelContext, model_input: list[str]) -> list[dict[str, Any]]:
        return [
            {"label": "positive" if probability >= 0.5 else "negative", "probability": float(probability)}
            for probability in self.predictor.positive(model_input)
        ]


mlflow.models.set_model(SentimentModel())
