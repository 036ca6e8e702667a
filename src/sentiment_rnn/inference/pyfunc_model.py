"""The registered model, as MLflow's "model from code": MLflow logs this file and runs it where the model is loaded.

It needs mlflow, numpy, safetensors, tokenizers and torch; this package is logged with it.
"""

import logging

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel, PythonModelContext

from sentiment_rnn.data.corpus import CLASS_NAMES
from sentiment_rnn.inference.predictor import Predictor

logging.getLogger("mlflow.types.type_hints").setLevel(logging.ERROR)  # it warns that it does not check a union's types


class SentimentModel(PythonModel):
    """Map raw review texts to labels and probabilities of "positive".

    One invalid text (without words, or not valid Unicode) fails the whole request with its position: MLflow's server
    responds with status 400.
    """

    def load_context(self, context: PythonModelContext) -> None:
        self.predictor = Predictor(context.artifacts["model"], context.artifacts["tokenizer"])

    def predict(self, context: PythonModelContext, model_input: list[str]) -> list[dict[str, str | float]]:
        if not model_input:
            raise _invalid_request("the list of texts is empty: there is nothing to classify")
        try:
            probabilities = self.predictor.predict_probabilities(model_input)
        except ValueError as error:
            raise _invalid_request(str(error)) from error
        return [
            {"label": CLASS_NAMES[int(probability >= 0.5)], "probability": float(probability)}
            for probability in probabilities
        ]


def _invalid_request(reason: str) -> MlflowException:
    error = MlflowException.invalid_parameter_value(reason)
    error.json_kwargs["message"] = reason  # otherwise the server puts the whole request before the reason
    return error


mlflow.models.set_model(SentimentModel())
