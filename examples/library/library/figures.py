"""Sums that several methods need."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

P = ParamSpec("P")
R = TypeVar("R")

DIGITS = 8


def rounded(function: Callable[P, R]) -> Callable[P, R]:
    """Round every float of a result: the last digits of a matrix product are the library's own.

    They change with the number of its threads, and nobody reads them.
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        result: R = tidy(function(*args, **kwargs))
        return result

    return call


def tidy(value: Any) -> Any:
    """The value with the floats in its lists, tuples, mappings and arrays rounded."""
    if isinstance(value, float):
        return round(float(value), DIGITS)
    if isinstance(value, dict):
        return {key: tidy(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(tidy(item) for item in value)
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        # Adding zero makes one of the two zeros that rounding can leave.
        return np.round(value, DIGITS) + 0.0
    return value


def shares(weights: Sequence[float]) -> list[float]:
    """The weights as parts of their sum."""
    total = math.fsum(weights)
    return [weight / total for weight in weights] if total else []


def entropy(weights: Sequence[float]) -> float:
    """Shannon's entropy in bits of weights taken as a distribution."""
    return -math.fsum(part * math.log2(part) for part in shares(weights) if part > 0)


def gini(weights: Sequence[float]) -> float:
    """Gini's coefficient: 0 when all weights are equal, near 1 when one has everything."""
    ordered = sorted(weights)
    total = math.fsum(ordered)
    if not total:
        return 0.0
    weighted = math.fsum(rank * weight for rank, weight in enumerate(ordered, 1))
    return 2 * weighted / (len(ordered) * total) - (len(ordered) + 1) / len(ordered)


def line(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float, float]:
    """Slope, intercept and share of variance explained of the least squares line."""
    dx, dy = x - x.mean(), y - y.mean()
    squares = float(dx @ dx)
    if not squares:
        return 0.0, float(y.mean()), 0.0
    slope = float(dx @ dy) / squares
    variance = float(dy @ dy)
    explained = slope * float(dx @ dy) / variance if variance else 1.0
    return slope, float(y.mean() - slope * x.mean()), explained


def unit_rows(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The rows scaled to length 1; rows of zeros stay."""
    lengths = np.sqrt((matrix * matrix).sum(axis=1, keepdims=True))
    scaled = np.zeros_like(matrix)
    np.divide(matrix, lengths, out=scaled, where=lengths > 0)
    return scaled
