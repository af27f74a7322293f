"""How hard the text is to read."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from library.areas import area_text
from library.figures import rounded
from library.stems import syllables
from library.words import normalise, sentences_of

LETTERS = re.compile(r"[A-Za-z]+")


class Readability:
    """Formulas from the lengths of sentences and words."""

    @rounded
    def scores(self, text: str) -> dict[str, Any]:
        """Flesch's reading ease and Gunning's fog index of the whole text."""
        return self._formulas(text)

    @rounded
    def by_area(self, text: str, sector_id: str) -> dict[str, Any]:
        """The same for the pages of one area."""
        return self._formulas(area_text(text, sector_id))

    def _formulas(self, text: str) -> dict[str, Any]:
        sentences = sentences_of(text)
        words = [word for sentence in sentences for word in LETTERS.findall(sentence)]
        if not words:
            return {"ease": 100.0, "fog": 0.0, "size": 0}
        cost = {word: syllables(normalise(word)) for word in dict.fromkeys(words)}
        length = len(words) / len(sentences)
        heavy = sum(cost[word] > 2 for word in words) / len(words)
        mean = sum(cost[word] for word in words) / len(words)
        return {
            "ease": 206.835 - 1.015 * length - 84.6 * mean,
            "fog": 0.4 * (length + 100 * heavy),
            "size": len(sentences),
        }


class SentenceLengths:
    """Lengths of sentences in words."""

    @rounded
    def distribution(self, text: str) -> dict[str, Any]:
        """Mean, spread and quantiles of the lengths, and how many have each length."""
        lengths = np.array([len(sentence.split()) for sentence in sentences_of(text)])
        return {
            "mean": float(lengths.mean()),
            "deviation": float(lengths.std()),
            "quantiles": np.quantile(lengths, [0.05, 0.25, 0.5, 0.75, 0.95]),
            "histogram": np.bincount(np.minimum(lengths, 60)),
            "size": len(lengths),
        }
