"""An ablation's trainings and its table: each variant against the recipe with the same seed."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import shrunk_values, write_params
from mlflow import MlflowClient

from sentiment_rnn import params
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.tokenized import TokenizedReviews
from sentiment_rnn.errors import UserError
from sentiment_rnn.studies.ablation import report
from sentiment_rnn.studies.ablation.variant import UNCHANGED, Variant, plan
from sentiment_rnn.studies.experiment import Context, done
from sentiment_rnn.training import distillation

PARAMS = params.Params.model_validate(shrunk_values())


def named(name: str, seed: int = 1) -> Variant:
    return next(found for found in plan(PARAMS) if found.name == name and found.seed == seed)


@pytest.fixture
def context(client: MlflowClient, project: Path, tokens: Path) -> Context:
    """A project where teachers have spoken; the test runs in it."""
    unlabelled = TokenizedReviews(tokens, ["unsupervised"], Encoding(**PARAMS.model_of("best").encoding()))
    for name in ("pupil", "best"):
        said = np.linspace(0.1, 0.9, len(unlabelled)) + (name == "best") / 20
        distillation.save(said, tokens, Path("data/taught", name))
    return Context(PARAMS.trainer, tokens, Path("work/ablation"), "ablation")


def test_every_seed_has_the_recipe_and_each_variant_with_its_one_change():
    found = plan(PARAMS)
    assert len(found) == 3 * (1 + len(PARAMS.ablation.variants))
    recipe = named(UNCHANGED).model.model_dump()
    for variant in found:
        changed = {key for key, value in variant.model.model_dump().items() if value != recipe[key]}
        assert changed - {"patience"} == set(PARAMS.ablation.variants.get(variant.name, {}))
        assert variant.model.patience == variant.model.max_epochs, "the last epoch counts"
    assert named("the linear teacher alone").taught == Path("data/taught/pupil")
    assert named(UNCHANGED).taught == Path("data/taught/best")


def test_a_variant_is_trained_on_what_it_names_and_found_again(context, client):
    embedding = torch.randn(500, 8, generator=torch.Generator().manual_seed(1))
    weights.save({weights.EMBEDDING: embedding}, {"kind": "vectors"}, context.tokens, Path("data/pretrained/best"))
    names = (UNCHANGED, "the linear teacher alone", "without teachers, four epochs", "without word vectors")
    variants = [named(name) for name in names]
    run_ids = [variant.run(context) for variant in variants]
    finished = done(client, context)
    assert [finished[variant.key(context)].info.run_id for variant in variants] == run_ids
    metrics = [finished[variant.key(context)].data.metrics for variant in variants]
    assert len({run["final_validation_loss"] for run in metrics}) == 4
    assert not any(key.startswith("test") for run in metrics for key in run)


def test_what_was_learned_and_what_was_taught_are_part_of_the_key(context):
    variant = named(UNCHANGED)
    with pytest.raises(UserError, match="data/pretrained/best is not there"):
        variant.key(context)
    drawn = variant.model_copy(update={"model": params.updated(variant.model, {"pretrained": False})})
    before = drawn.key(context)
    distillation.save(np.full(20, 0.3), context.tokens, drawn.taught)
    assert drawn.key(context) != before


def test_a_row_is_the_difference_to_the_recipe_seed_by_seed(context):
    variants = [
        variant.model_copy(update={"model": params.updated(variant.model, {"pretrained": False})})
        for variant in plan(PARAMS)
        if variant.name in (UNCHANGED, "200 tokens")
    ]
    figures = {
        (UNCHANGED, 1): (0.90, 0.30), (UNCHANGED, 2): (0.92, 0.28), (UNCHANGED, 3): (0.91, 0.26),
        ("200 tokens", 1): (0.89, 0.33), ("200 tokens", 2): (0.90, 0.30), ("200 tokens", 3): (0.91, 0.30),
    }  # fmt: skip
    finished = {}
    for variant in variants:
        accuracy, loss = figures[variant.name, variant.seed]
        seconds = 20.0 if variant.name == UNCHANGED else 10.0
        metrics = {"final_validation_accuracy": accuracy, "final_validation_loss": loss, "train_seconds": seconds}
        finished[variant.key(context)] = SimpleNamespace(data=SimpleNamespace(metrics=metrics))
    recipe, short = report.rows(variants, finished, context)
    assert (recipe.name, short.name) == (UNCHANGED, "200 tokens")
    assert short.points.values == pytest.approx([-1, -2, 0])
    assert short.saved.values == pytest.approx([-0.03, -0.02, -0.04])
    assert short.times.mean == pytest.approx(0.5)
    assert short.accuracy == pytest.approx(0.9)
    low, high = short.saved.interval
    assert (low + high) / 2 == pytest.approx(-0.03)
    assert high - low == pytest.approx(2 * 4.302653 * 0.01 / 3**0.5), "Student's t, two degrees of freedom"
    table = report.markdown([recipe, short], PARAMS.ablation, "imdb", context)
    assert re.search(r"\| 200 tokens \| 90\.00 \| -1\.00 .* \| 0\.3100 \| -0\.0300 .* \| 10 \| 0\.50 \|", table)
    assert report.values([recipe, short])["200 tokens"]["loss_saved"][0] == pytest.approx(-0.03)
    assert [text.get_text() for text in report.picture([recipe, short]).axes[0].get_yticklabels()] == ["200 tokens"]


@pytest.mark.parametrize(
    ("variants", "said"),
    [
        ({"odd": {"hidden_size": 0}}, "ablation.variants.odd.hidden_size"),
        ({"odd": {"protocol": "document"}}, "ablation.variants.odd: protocol is the same for all"),
        ({"odd": {"vocab_size": 501}}, "ablation.variants.odd.vocab_size: 501 is more than tokenizer.vocab_size"),
        ({"odd": {"colour": 1}}, "ablation.variants.odd.colour"),
        (
            {"odd": {"teachers": ["tfidf_logistic"]}},
            "odd.teachers: neither pupil nor best has just these",
        ),
    ],
)
def test_a_variant_that_cannot_be_is_refused_before_anything_runs(variants, said, tmp_path):
    values = shrunk_values()
    values["ablation"]["variants"] = variants
    with pytest.raises(UserError, match=re.escape(said)):
        params.load(write_params(values, tmp_path))
