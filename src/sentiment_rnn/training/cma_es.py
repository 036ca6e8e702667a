"""CMA-ES as a torch optimizer."""

from collections.abc import Callable
from typing import Any

import cma
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

from sentiment_rnn.errors import UserError


class CMAES(torch.optim.Optimizer):
    """Covariance matrix adaptation (Hansen & Ostermeier, 2001) by pycma; a step is a generation.

    Between steps the parameters are the mean of the distribution. The optimizer's state is its initial distribution and
    the losses of all generations: a checkpoint holds numbers only, from which `load_state_dict` repeats the evolution.

    Args:
        parameters: the evolved ones, a few hundred numbers at most: the covariance is a full matrix.
        seed: of the candidates.
    """

    def __init__(self, parameters: list[nn.Parameter], seed: tuple[int, ...]) -> None:
        super().__init__(parameters, {})
        self.parameters = parameters
        self.seed = seed
        self.started = False

    def start(self, stds: Tensor, population: int) -> None:
        """Start the evolution with the parameters' values as the mean.

        Args:
            stds: `(n,)`, the initial standard deviation of each number.
            population: candidates per generation, in multiples of pycma's 4 + 3 ln(n).
        """
        self._start(parameters_to_vector(self.parameters).detach().cpu().double(), stds.cpu().double(), population)

    def _start(self, mean: Tensor, stds: Tensor, population: int) -> None:
        random = np.random.default_rng(self.seed)
        self.started = True
        self.initial_mean, self.stds, self.population = mean, stds, population
        options = {
            "popsize": population * int(4 + 3 * np.log(len(mean))),
            "randn": lambda *shape: random.standard_normal(shape),
            "seed": np.nan,  # do not seed numpy's global generator
            "verbose": -9,
        }
        # its coordinates are standardized: the difference to the initial mean in units of `stds`
        self.strategy = cma.CMAEvolutionStrategy(np.zeros(len(mean)), 1.0, options)
        self.generation: list[np.ndarray] = self.strategy.ask()
        self.losses: list[Tensor] = []

    def _tell(self, losses: Tensor) -> None:
        self.strategy.tell(self.generation, losses.tolist())
        self.losses.append(losses)
        self.generation = self.strategy.ask()

    def _values(self, standardized: np.ndarray) -> Tensor:
        return (self.initial_mean + self.stds * torch.from_numpy(standardized)).to(self.parameters[0])

    @property
    def mean(self) -> Tensor:
        """The mean of the distribution, `(n,)`, in the parameters' type and on their device."""
        return self._values(self.strategy.mean)

    @property
    def candidates(self) -> Tensor:
        """The current generation, `(P, n)`, in the parameters' type and on their device."""
        return self._values(np.stack(self.generation))

    @torch.no_grad()
    def set_parameters(self, values: Tensor) -> None:
        """Set the parameters to the numbers in `values`, `(n,)`."""
        blocks = values.split([parameter.numel() for parameter in self.parameters])
        for parameter, block in zip(self.parameters, blocks, strict=True):
            parameter.copy_(block.view_as(parameter))

    def step(self, closure: Callable[[], Tensor]) -> Tensor:  # type: ignore[override]
        """Update the distribution.

        Args:
            closure: returns the losses of `candidates`, `(P,)`.

        Returns:
            These losses.
        """
        losses = closure()
        self._tell(losses.cpu().double())
        self.set_parameters(self.mean)
        return losses

    def state_dict(self) -> dict[str, Any]:
        """The initial distribution, and the losses `(generations, P)`; empty before the start."""
        if not self.started:
            return {}
        empty = torch.empty(0, len(self.generation), dtype=torch.double)
        losses = torch.stack(self.losses) if self.losses else empty
        return {"mean": self.initial_mean, "stds": self.stds, "population": self.population, "losses": losses}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Repeat all generations from their losses, a few milliseconds each.

        Raises:
            UserError: the result differs from the weights in the checkpoint.
        """
        if not state_dict:
            return
        self._start(state_dict["mean"], state_dict["stds"], state_dict["population"])
        for losses in state_dict["losses"]:
            self._tell(losses)
        if not torch.allclose(self.mean, parameters_to_vector(self.parameters), rtol=1e-3, atol=1e-5):
            raise UserError(
                "the evolution in the checkpoint cannot be repeated with this machine's arithmetic: resume it on the "
                "machine where it started, or `rm -r work/train` and start again"
            )
