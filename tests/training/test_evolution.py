"""Training by CMA-ES: evolved parameters, falling loss, candidates, resuming, refused combinations."""

import pytest
import pytorch_lightning as pl
import torch
from conftest import shrunk_values
from cures import run_cure
from killing import KilledError, KillIn

from sentiment_rnn import params
from sentiment_rnn.data.batches import Batch
from sentiment_rnn.errors import UserError
from sentiment_rnn.models import Classifier
from sentiment_rnn.models.encoders import ENCODERS
from sentiment_rnn.models.trainable import trainable_parameters
from sentiment_rnn.params.model import WITHOUT_GATES
from sentiment_rnn.training.evolution import EvolutionModule
from sentiment_rnn.training.fit import FitResult, fit

PARAMS = params.Params.model_validate(shrunk_values())
TRAINER = PARAMS.trainer.model_copy(update={"precision": "32-true"})
EVOLVED = PARAMS.model_of("evolved_lstm")
READOUT = {"readout.weight", "readout.bias"}
ONE_BATCH = {"padding": "pre", "batch_size": 240}  # every generation is evaluated on the same reviews
BIASES = {"encoder.layers.0.0.bias_ih_l0"}


class WeightRecorder(pl.Callback):
    """The weights after each epoch."""

    def __init__(self) -> None:
        self.epochs: list[dict[str, torch.Tensor]] = []

    def on_train_epoch_end(self, trainer, module) -> None:
        self.epochs.append({name: weights.clone() for name, weights in module.model.state_dict().items()})


@pytest.fixture
def train(tokens, tmp_path):
    """Fit with some of evolved_lstm's parameters changed."""

    def run(folder: str = "work", *, callbacks=(), seed: int = 7, init_state=None, **changes) -> FitResult:
        done = fit(
            "evolved_lstm",
            params.updated(EVOLVED, {"max_epochs": 2, "patience": 9} | changes),
            TRAINER,
            seed,
            tokens=tokens,
            checkpoints=tmp_path / folder,
            logger=False,
            callbacks=callbacks,
            init_state=init_state,
        )
        assert done is not None
        return done

    return run


def initial_weights(seed: int = 7, **changes) -> dict[str, torch.Tensor]:
    """The weights before training."""
    torch.manual_seed(seed)
    return Classifier(**params.updated(EVOLVED, changes).architecture()).state_dict()


def changed(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    return {name for name in before if not torch.equal(before[name], after[name])}


def without_times(history: list[dict[str, float]]) -> list[dict[str, float]]:
    """The rows without durations."""
    return [{key: row[key] for key in row if key not in ("epoch_seconds", "tokens_per_second")} for row in history]


def test_the_loss_falls_by_evolution_alone(train):
    wide = {"embedding.weight": torch.randn(300, 8, generator=torch.Generator().manual_seed(0))}  # large states
    losses = [row["train_loss"] for row in train(init_state=wide, max_epochs=40, patience=40, **ONE_BATCH).history]
    assert losses[30] < losses[0] - 0.003, "by the readout"
    assert losses[39] < losses[30] - 0.0002, "then by the gate biases"  # the amount depends on the processor


def test_the_readout_is_evolved_first_then_the_gate_biases_and_nothing_else_changes(train):
    recorder = WeightRecorder()
    train(callbacks=[recorder])
    first, second = recorder.epochs
    assert changed(initial_weights(), first) == READOUT
    assert changed(first, second) == BIASES


@pytest.mark.parametrize(("trainable", "expected"), [("readout", READOUT), ("readout_and_biases", READOUT | BIASES)])
def test_adam_trains_the_same_parts(train, trainable, expected):
    recorder = WeightRecorder()
    train(callbacks=[recorder], optimizer="adam", trainable=trainable)
    assert changed(initial_weights(), recorder.epochs[-1]) == expected


@pytest.mark.parametrize("killed_in", [1, 3], ids=["the readout's epochs", "the biases' epochs"])
def test_a_training_killed_in_an_epoch_resumes_with_the_same_results(train, killed_in):
    whole = train("whole", max_epochs=4)
    with pytest.raises(KilledError):
        train("killed", callbacks=[KillIn(killed_in)], max_epochs=4)
    resumed = train("killed", max_epochs=4)
    assert without_times(resumed.history) == without_times(whole.history)
    assert changed(whole.model.state_dict(), resumed.model.state_dict()) == set()


def test_the_same_seed_gives_the_same_weights_and_another_does_not(train):
    first, again, other = train("a"), train("b"), train("c", seed=8)
    assert changed(first.model.state_dict(), again.model.state_dict()) == set()
    assert without_times(first.history) != without_times(other.history)


@pytest.mark.parametrize("merge_mode", ["concat", "max", "probability"])
def test_logits_of_candidates_are_those_of_the_model_with_their_weights(merge_mode):
    torch.manual_seed(0)
    changes = {"bidirectional": True, "merge_mode": merge_mode, "pooling": ["mean", "attention"]}
    architecture = params.updated(EVOLVED, changes).architecture()
    values = (0.1, "constant", 1e-8, None, 7, "readout_and_biases", 0.0, None)
    module = EvolutionModule(architecture, "validation", *values).eval()
    module._trainer = pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    ids, lengths, labels = torch.randint(2, 300, (9, 5)), torch.tensor([9, 7, 5, 3, 1]), torch.tensor([1.0, 0, 1, 0, 1])
    with torch.no_grad():
        for evaluate, evolved in zip((module._readouts, module._biases), module.configure_optimizers(), strict=True):
            logits = evaluate(Batch(ids, lengths, labels), evolved)
            assert len(logits) == 1 + len(evolved.candidates)
            for values, expected in zip([evolved.mean, *evolved.candidates], logits, strict=True):
                evolved.set_parameters(values)
                assert torch.allclose(module(ids, lengths), expected, atol=1e-5)
            evolved.set_parameters(evolved.mean)


GATES = {"lstm": 4, "gru": 3, "peephole": 4, "coupled": 3, "mlstm": 4, "conv_lstm": 4}


def test_cells_are_gated_or_refused():
    assert set(GATES) | set(WITHOUT_GATES) == set(ENCODERS)


@pytest.mark.parametrize(("cell", "gates"), GATES.items())
def test_one_bias_per_gate_unit_layer_and_direction(cell, gates):
    changes = {"cell": cell, "bidirectional": True, "num_layers": 2}
    model = Classifier(**params.updated(EVOLVED, changes).architecture())
    biases = trainable_parameters(model, "readout_and_biases")[1]
    assert sum(bias.numel() for bias in biases) == 2 * 2 * gates * EVOLVED.hidden_size


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"trainable": "all"}, "too many parameters"),
        ({"cell": "rnn"}, "needs a cell with gates"),
        ({"cell": "transformer", "optimizer": "adam", "embedding_size": 8}, "needs a cell with gates"),
        ({"optimizer": "genetic"}, "'adam' or 'cma_es'"),
    ],
)
def test_incompatible_values_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        params.updated(EVOLVED, changes)


def test_a_checkpoint_that_contradicts_its_weights_is_refused(train, tmp_path):
    module = EvolutionModule(EVOLVED.architecture(), "validation", 0.1, "constant", 1e-8, None, 7, "readout", 0.0, None)
    (evolved,) = module.configure_optimizers()
    evolved.start(torch.ones(len(trainable_parameters(module.model, "readout")[0][0].T) + 1), 1)
    evolved.step(lambda: evolved.candidates.square().sum(dim=1))
    state = evolved.state_dict()
    evolved.load_state_dict(state)
    evolved.set_parameters(evolved.mean + 0.1)
    with pytest.raises(UserError, match="start again") as caught:
        evolved.load_state_dict(state)
    (tmp_path / "work/train").mkdir(parents=True)
    run_cure(str(caught.value), "rm -r work/train", tmp_path)
    assert not (tmp_path / "work/train").exists()
