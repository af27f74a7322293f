"""Which words the text has, how often, and how their number grows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from library.base import WordMethod
from library.figures import line, rounded

CHECKPOINTS = 40


@dataclass(frozen=True)
class PowerLaw:
    """y = factor * x ** exponent, and the share of variance it explains in logarithms."""

    exponent: float
    factor: float
    explained: float


class Vocabulary(WordMethod):
    """Counts of words."""

    @rounded
    def frequencies(self, text: str) -> dict[str, Any]:
        """The most frequent words with their share of the text."""
        counts = self.counts(text)
        total = counts.total()
        weights = {word: count / total for word, count in counts.items()}
        return {"ranking": self.ranking(weights), "size": total, "distinct": len(counts)}

    def growth(self, text: str) -> PowerLaw:
        """Heaps' law: how the number of distinct words grows with the number of words."""
        words = self.words(text)
        seen: set[str] = set()
        distinct = []
        for word in words:
            seen.add(word)
            distinct.append(len(seen))
        points = np.unique(np.geomspace(1, len(words), CHECKPOINTS).astype(int)) - 1
        return _power_law(points + 1.0, np.array(distinct, dtype=float)[points])


class ZipfLaw(WordMethod):
    """How the frequency of a word falls with its rank."""

    def __init__(self, ranks: int = 2000) -> None:
        self.ranks = ranks

    def fit(self, text: str) -> PowerLaw:
        """The law fitted to the first `ranks` words."""
        frequent = [count for _, count in self.counts(text).most_common(self.ranks)]
        return _power_law(np.arange(1.0, len(frequent) + 1), np.array(frequent, dtype=float))


@rounded
def _exponents(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> tuple[float, float, float]:
    slope, intercept, explained = line(np.log(x), np.log(y))
    return slope, float(np.exp(intercept)), explained


def _power_law(x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> PowerLaw:
    return PowerLaw(*_exponents(x, y))
