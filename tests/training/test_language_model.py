"""Language-model pre-training: losses against their definitions, no leak of the predicted token."""

import math

import pytest
import torch
import torch.nn.functional as F

from sentiment_rnn import params
from sentiment_rnn.data.batches import Batch
from sentiment_rnn.models import Classifier
from sentiment_rnn.training.fit import fit
from sentiment_rnn.training.language_model import LanguageModule, pretrain


@pytest.fixture
def model(chosen: params.Params) -> params.ModelParams:
    return chosen.model_of("mlstm")


@torch.no_grad()
def test_the_loss_is_the_mean_cross_entropy_of_the_next_tokens(model: params.ModelParams) -> None:
    torch.manual_seed(7)
    module = LanguageModule(model, steps=5).eval()
    ids = torch.randint(2, model.vocab_size, (6, 3))
    lengths = torch.tensor([6, 4, 1])  # the last has no next token
    ids[4:, 1] = ids[1:, 2] = 0
    module.log = lambda *_, **__: None  # there is no Trainer
    loss = module.training_step(Batch(ids, lengths, torch.zeros(3)), 0)
    losses = []
    for review, length in enumerate(lengths.tolist()):
        for t in range(length - 1):
            states = module.model.encode(
                ids[: t + 1, review : review + 1], torch.tensor([t + 1])
            )  # without later tokens
            distribution = module.decoder.log_prob(states[-1])
            assert distribution.exp().sum() == pytest.approx(1, abs=1e-5)
            losses.append(F.nll_loss(distribution, ids[t + 1, review : review + 1]))
    assert len(losses) == 8
    torch.testing.assert_close(loss, torch.stack(losses).mean(), rtol=0, atol=1e-5)


def test_pretraining_lowers_the_loss_and_is_deterministic(
    chosen: params.Params, model: params.ModelParams, tokens, capsys
) -> None:
    model = params.updated(model, {"learning_rate": 0.02, "batch_size": 2, "max_length": 24})
    learned = pretrain("mlstm", model, chosen.trainer, 7, tokens=tokens, reviews=20, logger=False)
    loss = float(capsys.readouterr().out.split("language loss ")[1].split()[0])
    assert loss < 0.98 * math.log(model.vocab_size)  # better than a uniform distribution after 10 steps
    initial = Classifier(**model.architecture()).state_dict()
    assert set(learned) == {name for name in initial if name.startswith(("embedding.", "encoder."))}
    again = pretrain("mlstm", model, chosen.trainer, 7, tokens=tokens, reviews=20, logger=False)
    assert all(torch.equal(learned[name], again[name]) for name in learned)


def test_a_fit_starts_from_the_given_weights(chosen: params.Params, model: params.ModelParams, tokens) -> None:
    given = {"embedding.weight": torch.full((model.vocab_size, model.embedding_size), 0.25)}
    constant = params.updated(model, {"learning_rate": 1e-30, "max_epochs": 1})
    done = fit("mlstm", constant, chosen.trainer, 7, tokens=tokens, checkpoints=None, logger=False, init_state=given)
    torch.testing.assert_close(done.model.embedding.weight.detach(), given["embedding.weight"])
    other = fit("mlstm", constant, chosen.trainer, 7, tokens=tokens, checkpoints=None, logger=False)
    assert torch.equal(
        done.model.readout.weight, other.model.readout.weight
    )  # the other weights are initialized as usual


@pytest.fixture
def both(chosen: params.Params) -> params.ModelParams:
    return params.updated(chosen.model_of("bilstm"), {"learning_rate": 0.02, "batch_size": 2, "max_length": 24})


@torch.no_grad()
def test_the_loss_is_the_mean_of_both_directions(both: params.ModelParams) -> None:
    torch.manual_seed(7)
    module = LanguageModule(both, steps=5).eval()
    ids = torch.randint(2, both.vocab_size, (6, 2))
    lengths = torch.tensor([6, 4])
    ids[4:, 1] = 0
    module.log = lambda *_, **__: None  # there is no Trainer
    loss = module.training_step(Batch(ids, lengths, torch.zeros(2)), 0)
    forward, backward = [], []
    for review, length in enumerate(lengths.tolist()):
        own = ids[:length, review : review + 1]
        for t in range(length):
            # without the predicted side
            before = module.model.encode(own[: t + 1], torch.tensor([t + 1]))[-1, :, : both.hidden_size]
            behind = module.model.encode(own[t:], torch.tensor([length - t]))[0, :, both.hidden_size :]
            if t + 1 < length:
                forward.append(F.nll_loss(module.decoder.log_prob(before), own[t + 1]))
            if t > 0:
                backward.append(F.nll_loss(module.decoder.log_prob(behind), own[t - 1]))
    assert len(forward) == len(backward) == 8
    torch.testing.assert_close(loss, (torch.stack(forward).mean() + torch.stack(backward).mean()) / 2)


@pytest.mark.parametrize("bigram_size", [0, 4])
@torch.no_grad()
def test_a_state_does_not_depend_on_the_predicted_token(both: params.ModelParams, bigram_size: int) -> None:
    torch.manual_seed(7)
    model = LanguageModule(params.updated(both, {"bigrams": {"size": bigram_size}}), steps=5).eval().model
    ids, lengths = torch.randint(2, both.vocab_size, (8, 1)), torch.tensor([8])
    states = model.encode(ids, lengths)
    for t in range(1, 7):
        for predicted, half in ((t + 1, slice(both.hidden_size)), (t - 1, slice(both.hidden_size, None))):
            changed = ids.clone()
            changed[predicted] = (ids[predicted] - 1) % (both.vocab_size - 2) + 2  # another word
            assert changed[predicted] != ids[predicted]
            others = model.encode(changed, lengths)
            assert torch.equal(others[t, :, half], states[t, :, half])
            assert not torch.equal(others[predicted, :, half], states[predicted, :, half])


def test_the_loss_falls_with_the_epochs(chosen: params.Params, both: params.ModelParams, tokens, capsys) -> None:
    pretrain("bilstm", both, chosen.trainer, 7, tokens=tokens, reviews=20, logger=False, max_epochs=3)
    losses = [float(line.split("language loss ")[1]) for line in capsys.readouterr().out.splitlines()]
    assert len(losses) == 3
    assert losses[0] > losses[1] > losses[2]
