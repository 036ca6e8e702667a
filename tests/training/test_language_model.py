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
def test_the_loss_is_the_mean_over_the_tokens_that_follow_another(model: params.ModelParams) -> None:
    torch.manual_seed(7)
    module = LanguageModule(model, steps=5).eval()
    ids = torch.randint(2, model.vocab_size, (6, 3))
    lengths = torch.tensor([6, 4, 1])  # the last has nothing to tell
    ids[4:, 1] = ids[1:, 2] = 0
    module.log = lambda *_, **__: None  # there is no Trainer
    loss = module.training_step(Batch(ids, lengths, torch.zeros(3)), 0)
    losses = []
    for review, length in enumerate(lengths.tolist()):
        for t in range(length - 1):
            states = module.model.encode(ids[: t + 1, review : review + 1], torch.tensor([t + 1]))  # nothing behind it
            distribution = module.decoder.log_prob(states[-1])
            assert distribution.exp().sum() == pytest.approx(1, abs=1e-5)
            losses.append(F.nll_loss(distribution, ids[t + 1, review : review + 1]))
    assert len(losses) == 8
    torch.testing.assert_close(loss, torch.stack(losses).mean(), rtol=0, atol=1e-5)


def test_reading_reviews_teaches_their_words(chosen: params.Params, model: params.ModelParams, tokens, capsys) -> None:
    model = params.with_values(model, {"learning_rate": 0.02, "batch_size": 2, "max_length": 24})
    weights = pretrain("mlstm", model, chosen.trainer, 7, tokens=tokens, reviews=20, logger=False)
    loss = float(capsys.readouterr().out.split("language loss ")[1].split()[0])
    assert loss < 0.98 * math.log(model.vocab_size)  # 10 steps: little, but better than any word being as likely
    started = Classifier(**model.architecture()).state_dict()
    assert set(weights) == {name for name in started if name.startswith(("embedding.", "encoder."))}
    again = pretrain("mlstm", model, chosen.trainer, 7, tokens=tokens, reviews=20, logger=False)
    assert all(torch.equal(weights[name], again[name]) for name in weights)


def test_a_fit_starts_from_the_weights_that_it_is_given(
    chosen: params.Params, model: params.ModelParams, tokens
) -> None:
    given = {"embedding.weight": torch.full((model.vocab_size, model.embedding_size), 0.25)}
    still = params.with_values(model, {"learning_rate": 1e-30, "max_epochs": 1})
    done = fit("mlstm", still, chosen.trainer, 7, tokens=tokens, checkpoints=None, logger=False, start=given)
    torch.testing.assert_close(done.model.embedding.weight.detach(), given["embedding.weight"])
    other = fit("mlstm", still, chosen.trainer, 7, tokens=tokens, checkpoints=None, logger=False)
    assert torch.equal(done.model.readout.weight, other.model.readout.weight)  # what is not given is as ever
