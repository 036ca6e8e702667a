"""A part of the classifier trained by CMA-ES: what moves, that the loss falls, that a cut-off training goes on."""

import pytest
import pytorch_lightning as pl
import torch
from conftest import shrunk_values
from killing import KilledError, KillIn

from sentiment_rnn import params
from sentiment_rnn.data.batches import Batch
from sentiment_rnn.errors import UserError
from sentiment_rnn.models import Classifier
from sentiment_rnn.models.encoders import ENCODERS
from sentiment_rnn.models.trainable import parts
from sentiment_rnn.params.model import WITHOUT_GATES
from sentiment_rnn.training.evolution import EvolutionModule
from sentiment_rnn.training.fit import FitResult, fit

PARAMS = params.Params.model_validate(shrunk_values())
TRAINER = PARAMS.trainer.model_copy(update={"precision": "32-true"})
EVOLVED = PARAMS.model_of("evolved_lstm")
READOUT = {"readout.weight", "readout.bias"}
ONE_BATCH = {"padding": "front", "batch_size": 240}  # every generation is judged on the same reviews
BIASES = {"encoder.layers.0.0.bias_ih_l0"}


class LeaseMonitor(pl.Callback):
    """The weights after each epoch."""

    def __init__(self) -> None:
        self.epochs: list[dict[str, torch.Tensor]] = []

    def on_train_epoch_end(self, trainer, module) -> None:
        self.epochs.append({name: weights.clone() for name, weights in module.model.state_dict().items()})


@pytest.fixture
def train(tokens, tmp_path):
    """Fit with some of evolved_lstm's parameters changed."""

    def run(folder: str = "work", *, callbacks=(), seed: int = 7, start=None, **changes) -> FitResult:
        done = fit(
            "evolved_lstm",
            params.updated(EVOLVED, {"max_epochs": 2, "patience": 9} | changes),
            TRAINER,
            seed,
            tokens=tokens,
            checkpoints=tmp_path / folder,
            logger=False,
            callbacks=callbacks,
            start=start,
        )
        assert done is not None
        return done

    return run


def start(seed: int = 7, **changes) -> dict[str, torch.Tensor]:
    """The weights that a training begins with."""
    torch.manual_seed(seed)
    return Classifier(**params.updated(EVOLVED, changes).architecture()).state_dict()


def moved(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    return {name for name in before if not torch.equal(before[name], after[name])}


def measured(history: list[dict[str, float]]) -> list[dict[str, float]]:
    """The rows without what a clock said."""
    return [{key: row[key] for key in row if key not in ("epoch_seconds", "tokens_per_second")} for row in history]


def test_the_loss_falls_by_evolution_alone(train):
    wide = {"embedding.weight": torch.randn(300, 8, generator=torch.Generator().manual_seed(0))}  # states far from 0
    losses = [row["train_loss"] for row in train(start=wide, max_epochs=40, patience=40, **ONE_BATCH).history]
    assert losses[30] < losses[0] - 0.003, "by the readout"
    assert losses[39] < losses[30] - 0.0005, "then by the gate biases"


def test_the_readout_evolves_first_then_the_gate_biases_and_the_rest_does_not_move_by_a_bit(train):
    watch = LeaseMonitor()
    train(callbacks=[watch])
    first, second = watch.epochs
    assert moved(start(), first) == READOUT
    assert moved(first, second) == BIASES


@pytest.mark.parametrize(("trained", "expected"), [("readout", READOUT), ("readout_and_biases", READOUT | BIASES)])
def test_adam_moves_the_same_part_from_the_same_start(train, trained, expected):
    watch = LeaseMonitor()
    train(callbacks=[watch], optimizer="adam", trained=trained)
    assert moved(start(), watch.epochs[-1]) == expected


@pytest.mark.parametrize("killed_in", [1, 3], ids=["the readout's epochs", "the biases' epochs"])
def test_a_training_cut_off_in_an_epoch_goes_on_as_if_it_never_was(train, killed_in):
    whole = train("whole", max_epochs=4)
    with pytest.raises(KilledError):
        train("cut", callbacks=[KillIn(killed_in)], max_epochs=4)
    resumed = train("cut", max_epochs=4)
    assert measured(resumed.history) == measured(whole.history)
    assert moved(whole.model.state_dict(), resumed.model.state_dict()) == set()


def test_the_same_seed_gives_the_same_weights_and_another_does_not(train):
    first, again, other = train("a"), train("b"), train("c", seed=8)
    assert moved(first.model.state_dict(), again.model.state_dict()) == set()
    assert measured(first.history) != measured(other.history)


@pytest.mark.parametrize("merge", ["concat", "max", "probability"])
def test_candidates_are_judged_as_the_model_that_has_their_weights(merge):
    torch.manual_seed(0)
    changes = {"bidirectional": True, "merge": merge, "pooling": ["mean", "attention"]}
    architecture = params.updated(EVOLVED, changes).architecture()
    values = (0.1, "constant", 1e-8, None, 7, "readout_and_biases", 0.0, None)
    module = EvolutionModule(architecture, "validation", *values).eval()
    module._trainer = pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    ids, lengths, labels = torch.randint(2, 300, (9, 5)), torch.tensor([9, 7, 5, 3, 1]), torch.tensor([1.0, 0, 1, 0, 1])
    with torch.no_grad():
        for judge, evolved in zip((module._readouts, module._biases), module.configure_optimizers(), strict=True):
            logits = judge(Batch(ids, lengths, labels), evolved)
            assert len(logits) == 1 + len(evolved.candidates)
            for values, found in zip([evolved.mean, *evolved.candidates], logits, strict=True):
                evolved.put(values)
                assert torch.allclose(module(ids, lengths), found, atol=1e-5)
            evolved.put(evolved.mean)


GATES = {"lstm": 4, "gru": 3, "peephole": 4, "coupled": 3, "mlstm": 4, "conv_lstm": 4}


def test_every_other_cell_is_refused():
    assert set(GATES) | set(WITHOUT_GATES) == set(ENCODERS)


@pytest.mark.parametrize(("cell", "gates"), GATES.items())
def test_each_gated_cell_has_a_bias_a_gate_unit_layer_and_direction(cell, gates):
    changes = {"cell": cell, "bidirectional": True, "num_layers": 2}
    model = Classifier(**params.updated(EVOLVED, changes).architecture())
    biases = parts(model, "readout_and_biases")[1]
    assert sum(bias.numel() for bias in biases) == 2 * 2 * gates * EVOLVED.hidden_size


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"trained": "all"}, "too many parameters"),
        ({"cell": "rnn"}, "needs a cell with gates"),
        ({"cell": "transformer", "optimizer": "adam", "embedding_size": 8}, "needs a cell with gates"),
        ({"optimizer": "genetic"}, "'adam' or 'cma_es'"),
    ],
)
def test_what_cannot_be_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        params.updated(EVOLVED, changes)


def test_a_checkpoint_that_does_not_fit_its_weights_is_refused(train):
    module = EvolutionModule(EVOLVED.architecture(), "validation", 0.1, "constant", 1e-8, None, 7, "readout", 0.0, None)
    (evolved,) = module.configure_optimizers()
    evolved.begin(torch.ones(len(parts(module.model, "readout")[0][0].T) + 1), 1)
    evolved.step(lambda: evolved.candidates.square().sum(dim=1))
    state = evolved.state_dict()
    evolved.load_state_dict(state)
    evolved.put(evolved.mean + 0.1)
    with pytest.raises(UserError, match="begin again"):
        evolved.load_state_dict(state)
