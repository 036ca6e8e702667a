"""Logistic regressions of all candidates for C on the same features; the lowest validation loss selects one."""

import time
from typing import Any, NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression

from sentiment_rnn.baselines.model import LinearModel
from sentiment_rnn.baselines.ngrams import WEIGHTINGS, counter
from sentiment_rnn.data.texts import Reviews
from sentiment_rnn.errors import UserError
from sentiment_rnn.evaluation.metrics import evaluate, probabilities
from sentiment_rnn.params import BaselineParams


class FitResult(NamedTuple):
    """The selected model, its metrics, and those of every candidate: `C`, `validation_loss`, `validation_accuracy`."""

    model: LinearModel
    chosen: dict[str, Any]
    candidates: list[dict[str, Any]]


def fit(name: str, params: BaselineParams, train: Reviews, validation: Reviews) -> FitResult:
    """Fit n-grams, their scales and the regression to `train`; select C by the log loss on `validation`.

    Returns:
        The result; the `seconds` of a candidate are those of the vectorizer, which all share, and of its regression.

    Raises:
        UserError: no n-gram occurs in `min_df` reviews.
    """
    start = time.perf_counter()
    weighting, ngrams = WEIGHTINGS[name], counter(params.max_ngram, min_df=params.min_df)
    try:
        counts = ngrams.fit_transform(train.texts)
    except ValueError as error:
        raise UserError(
            f"params.yaml: baselines.{name}.min_df: no n-gram occurs in {params.min_df} of the {len(train.texts):,} "
            "train reviews: use a smaller one"
        ) from error
    scale = weighting.learn(counts, train.labels)
    features = weighting.apply(counts, scale)
    vectorizer_seconds = time.perf_counter() - start

    validation_features = weighting.apply(ngrams.transform(validation.texts), scale)
    candidates, models = [], []
    for C in params.C:  # noqa: N806 (scikit-learn's name)
        start = time.perf_counter()
        regression = LogisticRegression(C=C, max_iter=1000).fit(features, train.labels)
        seconds = vectorizer_seconds + time.perf_counter() - start
        metrics = evaluate(probabilities(regression.decision_function(validation_features)), validation.labels)
        candidates.append(
            {
                "C": C,
                "validation_loss": metrics["log_loss"],
                "validation_accuracy": metrics["accuracy"],
                "seconds": seconds,
            }
        )
        models.append(regression)
        print(
            f"{name}: C {C}: validation loss {metrics['log_loss']:.4f}, accuracy {metrics['accuracy']:.4f}", flush=True
        )
    best = int(np.argmin([candidate["validation_loss"] for candidate in candidates]))
    model = LinearModel(
        name,
        params.max_ngram,
        ngrams.get_feature_names_out().tolist(),
        scale,
        models[best].coef_[0],
        models[best].intercept_,
    )
    return FitResult(model, candidates[best], candidates)
