"""Inferences that go back to the text."""

from __future__ import annotations

import math
from collections import Counter
from itertools import combinations
from typing import Any

import numpy as np

from library.areas import MEMBERS, RUNTIME, area_text
from library.base import WordMethod
from library.figures import rounded
from library.pages import pages_of
from library.words import words_of


class AreaSeparation(WordMethod):
    """How far apart the areas are in their words."""

    min_length = 4

    @rounded
    def divergence(self, text: str) -> dict[str, Any]:
        """The Jensen-Shannon divergence in bits of the words of every two areas."""
        counts = {area: self.counts(area_text(text, area)) for area in sorted([*MEMBERS, RUNTIME])}
        words = sorted({word for count in counts.values() for word in count})
        parts = {
            area: np.array([count[word] for word in words]) / max(count.total(), 1)
            for area, count in counts.items()
        }
        found = {f"{a} {b}": divergence(parts[a], parts[b]) for a, b in combinations(parts, 2)}
        return {"bits": found, "mean": sum(found.values()) / len(found), "size": len(words)}


def divergence(first: np.ndarray[Any, Any], second: np.ndarray[Any, Any]) -> float:
    """Jensen and Shannon's divergence of two distributions, in bits."""
    middle = (first + second) / 2
    return sum(
        float((part[part > 0] * np.log2(part[part > 0] / middle[part > 0])).sum()) / 2
        for part in (first, second)
    )


class Burstiness(WordMethod):
    """Words that keep to few pages."""

    min_length = 4

    def __init__(self, min_count: int = 30) -> None:
        self.min_count = min_count

    @rounded
    def bursts(self, text: str) -> dict[str, Any]:
        """Frequent words by how few pages carry them, against what chance would spread."""
        pages = [words_of(page.body, self.min_length) for page in pages_of(text)]
        total = Counter(word for page in pages for word in page)
        spread = Counter(word for page in pages for word in dict.fromkeys(page))
        parts = np.array([len(page) for page in pages]) / max(total.total(), 1)
        scores = {}
        for word, count in total.items():
            if count >= self.min_count:
                expected = float((1 - (1 - parts) ** count).sum())
                scores[word] = math.log2(expected / spread[word])
        return {"ranking": self.ranking(scores), "size": len(scores)}
