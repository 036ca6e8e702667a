"""CMA-ES behind torch's interface of an optimizer."""

from collections.abc import Callable
from typing import Any

import cma
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parameters_to_vector

from sentiment_rnn.errors import UserError


class CMAES(torch.optim.Optimizer):
    """Covariance matrix adaptation (Hansen & Ostermeier, 2001), pycma's; a step is a generation.

    Between steps the parameters hold the distribution's mean. Its state is where and how it began and the losses that
    it was told: from the same seed it draws the same candidates again, so a checkpoint holds numbers and nothing to
    unpickle.

    Args:
        parameters: what is evolved, a few hundred numbers at most: the covariance is a full matrix.
        seed: of the candidates.
    """

    def __init__(self, parameters: list[nn.Parameter], seed: tuple[int, ...]) -> None:
        super().__init__(parameters, {})
        self.parameters = parameters
        self.seed = seed
        self.begun = False

    def begin(self, steps: Tensor, population: int) -> None:
        """Begin at the parameters' values.

        Args:
            steps: `(n,)`, the first standard deviation of each of their numbers.
            population: candidates in a generation, in multiples of pycma's 4 + 3 ln(n).
        """
        self._begin(parameters_to_vector(self.parameters).detach().cpu().double(), steps.cpu().double(), population)

    def _begin(self, start: Tensor, steps: Tensor, population: int) -> None:
        random = np.random.default_rng(self.seed)
        self.begun = True
        self.start, self.steps, self.population = start, steps, population
        options = {
            "popsize": population * int(4 + 3 * np.log(len(start))),
            "randn": lambda *shape: random.standard_normal(shape),
            "seed": np.nan,  # numpy's global generator is left alone
            "verbose": -9,
        }
        # it works in units of `steps` from the start, where every number has the scale 1
        self.strategy = cma.CMAEvolutionStrategy(np.zeros(len(start)), 1.0, options)
        self.asked: list[np.ndarray] = self.strategy.ask()
        self.told: list[Tensor] = []

    def _tell(self, losses: Tensor) -> None:
        self.strategy.tell(self.asked, losses.tolist())
        self.told.append(losses)
        self.asked = self.strategy.ask()

    def _values(self, points: np.ndarray) -> Tensor:
        return (self.start + self.steps * torch.from_numpy(points)).to(self.parameters[0])

    @property
    def mean(self) -> Tensor:
        """The distribution's mean, `(n,)`, in the parameters' type and on their device."""
        return self._values(self.strategy.mean)

    @property
    def candidates(self) -> Tensor:
        """The generation to judge, `(P, n)`, in the parameters' type and on their device."""
        return self._values(np.stack(self.asked))

    @torch.no_grad()
    def put(self, values: Tensor) -> None:
        """Give the parameters the numbers of `values`, `(n,)`."""
        blocks = values.split([parameter.numel() for parameter in self.parameters])
        for parameter, block in zip(self.parameters, blocks, strict=True):
            parameter.copy_(block.view_as(parameter))

    def step(self, closure: Callable[[], Tensor]) -> Tensor:  # type: ignore[override]
        """Move the distribution.

        Args:
            closure: gives the losses of `candidates`, `(P,)`.

        Returns:
            These losses.
        """
        losses = closure()
        self._tell(losses.cpu().double())
        self.put(self.mean)
        return losses

    def state_dict(self) -> dict[str, Any]:
        """Where and how it began, and the losses of all generations, `(generations, P)`; empty before it began."""
        if not self.begun:
            return {}
        told = torch.stack(self.told) if self.told else torch.empty(0, len(self.asked), dtype=torch.double)
        return {"start": self.start, "steps": self.steps, "population": self.population, "losses": told}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Live through the generations again, a few milliseconds each.

        Raises:
            UserError: they lead elsewhere than to the weights of the checkpoint.
        """
        if not state_dict:
            return
        self._begin(state_dict["start"], state_dict["steps"], state_dict["population"])
        for losses in state_dict["losses"]:
            self._tell(losses)
        if not torch.allclose(self.mean, parameters_to_vector(self.parameters), rtol=1e-3, atol=1e-5):
            raise UserError(
                "this machine's arithmetic does not repeat the evolution in the checkpoint: go on where it began, or "
                "delete work/train and begin again"
            )
