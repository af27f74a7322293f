"""Figures with their uncertainty, by drawing samples."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from library.figures import rounded
from library.pages import entries_of
from library.words import sentences_of

CONFIDENCE = 0.95


class Bootstrap:
    """Intervals from samples drawn with replacement, by the global random generators."""

    def __init__(self, rounds: int = 2000) -> None:
        self.rounds = rounds

    @rounded
    def sentence_length(self, text: str) -> dict[str, Any]:
        """The mean length of a sentence in words, with its interval."""
        lengths = np.array([len(sentence.split()) for sentence in sentences_of(text)])
        size = len(lengths)
        means = [lengths[np.random.randint(0, size, size)].mean() for _ in range(self.rounds)]
        return interval(float(lengths.mean()), np.array(means))

    @rounded
    def documentation_length(self, text: str, sample: int = 200) -> dict[str, Any]:
        """The median length of an entry in characters, with its interval from small samples."""
        lengths = [len(entry.body) for entry in entries_of(text)]
        medians = [np.median(random.choices(lengths, k=sample)) for _ in range(self.rounds)]
        return interval(float(np.median(lengths)), np.array(medians))


def interval(value: float, samples: np.ndarray[Any, Any]) -> dict[str, Any]:
    """A value with the percentile interval and the standard deviation of its samples."""
    low, high = np.quantile(samples, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return {
        "value": value,
        "low": float(low),
        "high": float(high),
        "deviation": float(samples.std()),
        "size": len(samples),
    }
