"""The gradient with respect to inputs many steps before the end."""

import torch

from sentiment_rnn.studies.claims.network import Network
from sentiment_rnn.studies.claims.tasks import Sequences

STEPS = (0, 1, 2, 5, 10, 20, 40, 80, 160)  # before the last
MAX_SEQUENCES = 64


def gradient_norms(network: Network, sequences: Sequences) -> dict[int, float]:
    """Norm of the gradient of the last state's readout with respect to the input some steps before the last.

    Args:
        network: in float64: after a hundred steps a norm may be below float32's smallest number.
        sequences: the first 64 are used.

    Returns:
        By the number of steps, as far as the sequences reach: geometric means over the sequences (a few sequences would
        dominate arithmetic ones).
    """
    few = Sequences(
        *(values[..., :MAX_SEQUENCES, :] if values.ndim == 3 else values[..., :MAX_SEQUENCES] for values in sequences)
    )
    with torch.no_grad():
        embedded = network.embed(few)
    embedded = embedded.double().requires_grad_()
    states = network.encoder(embedded, few.lengths)
    last = states[few.lengths - 1, torch.arange(len(few.lengths))]
    (gradient,) = torch.autograd.grad(network.readout(last).sum(), embedded)
    position = few.lengths - 1 - torch.tensor([steps for steps in STEPS if steps < int(few.lengths.min())])[:, None]
    logs = gradient.norm(dim=-1).gather(0, position).clamp_min(1e-300).log().mean(dim=1)
    return {steps: float(log.exp()) for steps, log in zip(STEPS, logs, strict=False)}
