"""The registered model, as MLflow's "model from code": this file is logged and run where the model is loaded.

It needs mlflow, torch, tokenizers and safetensors; the parts of this project that it imports travel with it.
"""

from typing import Any

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel, PythonModelContext

from sentiment_rnn.inference.predictor import Predictor


class SentimentModel(PythonModel):
    """Raw review texts in; for each the label, and the probability that it is positive, out.

    What cannot be judged (no text at all, a text without words, half a character) is refused as a whole, by position:
    MLflow's server makes a 400 of it.
    """

    def load_context(self, context: PythonModelContext) -> None:
        self.predictor = Predictor(context.artifacts["model"], context.artifacts["tokenizer"])

    def predict(self, context: PythonModelContext, model_input: list[str]) -> list[dict[str, Any]]:
        if not model_input:
            raise _refusal("the list of texts is empty: there is nothing to judge")
        try:
            positive = self.predictor.positive(model_input)
        except ValueError as error:
            raise _refusal(str(error)) from error
        return [
            {"label": "positive" if probability >= 0.5 else "negative", "probability": float(probability)}
            for probability in positive
        ]


def _refusal(reason: str) -> MlflowException:
    refusal = MlflowException.invalid_parameter_value(reason)
    refusal.json_kwargs["message"] = reason  # the server puts all that it was sent before the reason otherwise
    return refusal


mlflow.models.set_model(SentimentModel())
