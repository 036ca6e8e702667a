"""Cross-validation: every row of a small data set is predicted once, by models that were trained without it.

Test and train are put together again and split into folds like the pipeline splits test off: stratified, identical
texts and groups together. Each fold is test once; the rest is train and validation, from which vocabulary, word
vectors, baselines and networks are learned anew.
"""

import shutil
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from sentiment_rnn.baselines.fit import fit as fit_baseline
from sentiment_rnn.data import checks, sources, split, store, texts
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.corpus import UNLABELED, Corpus, Split
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.data.fitting import fit_to_data
from sentiment_rnn.data.tokenize_stage import tokenize
from sentiment_rnn.errors import UserError
from sentiment_rnn.evaluation.metrics import evaluate, probabilities
from sentiment_rnn.evaluation.significance import mcnemar
from sentiment_rnn.files import atomic_file, write_json
from sentiment_rnn.inference.logits import predict_logits
from sentiment_rnn.params import BASELINES, ModelParams, Params, SyntheticDataset
from sentiment_rnn.training import pretrained, word_vectors
from sentiment_rnn.training.pretrained import EMBEDDING
from sentiment_rnn.training.train import run_fits


class Rows(NamedTuple):
    """The labeled rows of a data set, its texts without labels, and its column of groups if it has one."""

    labeled: Split
    unlabeled: Split
    group: list[str] | None


def cross_validate(params: Params, architecture: str, folds: int, seeds: list[int], raw: Path, work: Path) -> None:
    """Cross-validate an architecture and the baselines; write reports/cross_validation.json and .md.

    Args:
        params: the whole of params.yaml.
        architecture: a key of `models`. One with teachers learns from the labels alone.
        folds: how many.
        seeds: of the networks; their mean accuracy is reported.
        raw: folder of the download stage.
        work: folder for the data of one fold at a time.

    Raises:
        UserError: the data set is not downloaded, or has too few rows for the folds.
    """
    identity = store.load_identity(raw)
    names = tuple(identity["class_names"])
    rows = _all_rows(params, raw)
    if (least := min(np.bincount(rows.labeled.labels, minlength=2))) < folds:
        raise UserError(f"a class has {least} rows: choose at most {least} folds")
    model = params.model_of(architecture)
    model = model.model_copy(update={"protocol": "holdout", "refit": False})
    fold_of = np.floor(folds * split.positions(rows.labeled, params.data.seed, rows.group)).astype(int)
    networks = [f"{architecture}, seed {seed}" for seed in seeds]
    positive = {name: np.full(len(fold_of), np.nan) for name in [*BASELINES, *networks]}
    for fold in range(folds):
        test = np.flatnonzero(fold_of == fold)
        corpus = _corpus(identity["dataset"], names, rows, test, np.flatnonzero(fold_of != fold))
        shutil.rmtree(work, ignore_errors=True)
        sources.save(corpus, checks.describe(corpus), work / "raw")
        tokenize(params, work / "raw", work / "tokens")
        for name, values in _predict(params, model, architecture, seeds, work).items():
            positive[name][test] = values
        correct = {
            name: (values[test] >= 0.5) == np.array(corpus.splits["test"].labels) for name, values in positive.items()
        }
        shown = ", ".join(f"{name} {hits.mean():.4f}" for name, hits in correct.items())
        print(f"fold {fold + 1}/{folds}: accuracy of {shown}", flush=True)
    report = _report(identity["dataset"], rows.labeled.labels, fold_of, positive, networks)
    write_json("reports/cross_validation.json", report)
    with atomic_file("reports/cross_validation.md") as file:
        file.write(markdown(report))
    shutil.rmtree(work)
    print(markdown(report))


def _all_rows(params: Params, raw: Path) -> Rows:
    stored = [name for name in ("train", "validation", "test") if (raw / f"{name}.parquet").is_file()]
    splits = [store.load_split(raw, name) for name in stored]
    group = None if isinstance(params.dataset, SyntheticDataset) else params.dataset.group
    groups = [value for each in splits for value in each.columns[group]] if group else None
    labeled = Split(
        [text for each in splits for text in each.texts],
        [label for each in splits for label in each.labels],
        {group: groups} if group and groups else {},
    )
    return Rows(labeled, store.load_split(raw, UNLABELED), groups)


def _corpus(dataset: str, names: tuple[str, ...], rows: Rows, test: np.ndarray, rest: np.ndarray) -> Corpus:
    splits = {"train": rows.labeled.take(rest), "test": rows.labeled.take(test), UNLABELED: rows.unlabeled}
    return Corpus(dataset, "cross-validation", splits, names)


def _predict(
    params: Params, model: ModelParams, architecture: str, seeds: list[int], work: Path
) -> dict[str, np.ndarray]:
    """Probabilities of class 1 of a fold's test rows, by model."""
    raw, tokens = work / "raw", work / "tokens"
    reviews = {name: texts.load(raw, tokens, name) for name in ("train", "validation", "test")}
    predicted = {}
    for name in BASELINES:
        baseline = fit_baseline(name, params.baseline_of(name), reviews["train"], reviews["validation"]).model
        predicted[name] = probabilities(baseline.logits(reviews["test"].texts))
    model = fit_to_data(model, tokens, params.trainer.min_steps)
    vectors = work / "word_vectors"
    if model.word_vectors:
        chosen = params.word_vectors
        learned = word_vectors.learn(chosen, tokens=tokens, vocab_size=params.tokenizer.vocab_size)
        pretrained.save({EMBEDDING: learned}, chosen.model_dump(), tokens, vectors)
    test = TokenizedReviews(tokens, ["test"], Encoding(**model.encoding()))
    for seed in seeds:
        label = f"{architecture}, seed {seed}"
        fits = run_fits(
            label, model, params.trainer, seed, tokens=tokens, init_state=pretrained.load(model, vectors, tokens),
            pseudo_labels=None, checkpoints=work / f"seed-{seed}", logger=False,
        )  # fmt: skip
        assert fits.trained is not None
        predicted[label] = probabilities(predict_logits(fits.trained.model, test))
    return predicted


def _report(
    dataset: str, labels: list[int], fold_of: np.ndarray, positive: dict[str, np.ndarray], networks: list[str]
) -> dict[str, Any]:
    truth = np.array(labels)
    correct = {name: (values >= 0.5) == (truth > 0.5) for name, values in positive.items()}
    models = {}
    for name, hits in correct.items():
        by_fold = np.array([hits[fold_of == fold].mean() for fold in range(fold_of.max() + 1)])
        metrics = evaluate(positive[name], truth)
        models[name] = {
            "accuracy": metrics["accuracy"],
            "interval": list(metrics["accuracy_interval"]),
            "log_loss": metrics["log_loss"],
            "accuracy_by_fold": by_fold.tolist(),
            "standard_deviation_of_folds": float(by_fold.std(ddof=1)),
        }
    accuracies = [models[name]["accuracy"] for name in networks]
    ahead = max(BASELINES, key=lambda name: models[name]["accuracy"])
    return {
        "dataset": dataset,
        "rows": len(labels),
        "folds": int(fold_of.max()) + 1,
        "models": models,
        "mean_accuracy_of_seeds": float(np.mean(accuracies)),
        "best_baseline": ahead,
        "difference_to_best_baseline": float(np.mean(accuracies)) - models[ahead]["accuracy"],
        "p_of_first_seed": mcnemar(correct[networks[0]], correct[ahead]).p,
    }


def markdown(report: dict[str, Any]) -> str:
    """The report as a page of Markdown."""
    difference = 100 * report["difference_to_best_baseline"]
    lines = [
        f"# Cross-validation on {report['dataset']}",
        "",
        f"{report['rows']:,} rows in {report['folds']} folds; each row is predicted once, by models that were trained",
        "without its fold. The 95% interval (Wilson) covers the sampling of the rows, the standard deviation is that",
        "of the folds' accuracies.",
        "",
        "| model | accuracy, % | 95% interval | standard deviation of the folds | log loss |",
        "|---|--:|--:|--:|--:|",
    ]
    for name, row in report["models"].items():
        low, high = (100 * end for end in row["interval"])
        lines.append(
            f"| {name} | {100 * row['accuracy']:.2f} | {low:.2f} to {high:.2f} | "
            f"{100 * row['standard_deviation_of_folds']:.2f} | {row['log_loss']:.4f} |"
        )
    side = "ahead of" if difference > 0 else "behind"
    lines += [
        "",
        f"The networks' mean accuracy is {100 * report['mean_accuracy_of_seeds']:.2f}%: {abs(difference):.2f} "
        f"percentage points {side} the best baseline, {report['best_baseline']} (McNemar's test of the first seed: "
        f"p {report['p_of_first_seed']:.2g}).",
    ]
    return "\n".join(lines) + "\n"
