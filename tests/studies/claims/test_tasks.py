"""The tasks that need memory: their targets, and the error without memory."""

from pathlib import Path

import pytest
import torch
from torch import Generator

from sentiment_rnn.studies.claims.tasks import COPIED, SYMBOLS, make_task


def test_the_adding_problem_marks_one_number_in_each_half(tmp_path: Path) -> None:
    task = make_task("adding", 11, tmp_path, 0)
    inputs, lengths, targets = task.sample(4_000, Generator().manual_seed(1), "train")
    numbers, marks = inputs.unbind(-1)
    assert (marks[:5].sum(0) == 1).all()
    assert (marks[5:].sum(0) == 1).all()
    assert torch.allclose((numbers * marks).sum(0), targets)
    assert (lengths == 11).all()
    assert float(task.error(torch.ones(4_000), targets)) == pytest.approx(task.chance, rel=0.05)
    readout = torch.arange(11.0)[:, None, None].expand(11, 2, 1)
    assert task.predict(readout, lengths[:2]).tolist() == [10, 10]


def test_copy_memory_recalls_the_first_symbols(tmp_path: Path) -> None:
    task = make_task("copy", 6, tmp_path, 0)
    inputs, lengths, targets = task.sample(2_000, Generator().manual_seed(1), "train")
    ids = inputs.argmax(-1)
    assert (ids[:COPIED] == targets).all()
    assert (ids[COPIED : COPIED + 6] == SYMBOLS).all()
    assert (ids[COPIED + 6 :] == SYMBOLS + 1).all()
    assert lengths[0] == len(inputs) == 2 * COPIED + 6
    perfect = torch.nn.functional.one_hot(targets, SYMBOLS).float()
    assert task.error(perfect, targets) == 0
    assert float(task.error(torch.zeros_like(perfect), targets)) == pytest.approx(task.chance, abs=0.02)


def test_the_long_range_task_predicts_from_the_last_token(tmp_path: Path) -> None:
    task = make_task("long-range", 5, tmp_path, 80)
    ids, lengths, targets = task.sample(16, Generator().manual_seed(1), "train")
    held_out = task.sample(16, Generator().manual_seed(1), "held-out")
    assert not torch.equal(held_out.targets, targets)
    readout = torch.arange(len(ids))[:, None, None].expand(-1, 16, 1)
    assert torch.equal(task.predict(readout, lengths).squeeze(-1), lengths - 1)
    assert set(targets.tolist()) == {0, 1}
