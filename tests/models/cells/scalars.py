"""Scalar arithmetic of the cells' equations, in plain Python."""

import math

from torch import Tensor


def sigma(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def weighted(weights: Tensor, row: int, values: list[float]) -> float:
    return sum(weight * value for weight, value in zip(weights[row].tolist(), values, strict=True))
