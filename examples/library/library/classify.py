"""Telling an entry's area by its words: naive Bayes."""

from __future__ import annotations

from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from library.areas import area_of
from library.figures import rounded
from library.pages import entries_of, pages_of
from library.words import words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

Labelled = tuple[str, list[str]]


def labelled_entries(text: str, min_words: int = 5) -> list[Labelled]:
    """The area and the words of each entry that has at least `min_words`."""
    found = []
    for page in pages_of(text):
        area = area_of(page)
        for entry in entries_of(page.body):
            words = words_of(entry.body)
            if len(words) >= min_words:
                found.append((area, words))
    return found


class NaiveBayesModel:
    """A fitted multinomial model.

    `likelihood[c, w]` is the logarithm of the probability of word w in class c.
    """

    def __init__(
        self,
        classes: list[str],
        vocabulary: dict[str, int],
        prior: NDArray[np.float64],
        likelihood: NDArray[np.float64],
    ) -> None:
        self.classes = classes
        self.vocabulary = vocabulary
        self.prior = prior
        self.likelihood = likelihood

    def scores(self, words: Sequence[str]) -> NDArray[np.float64]:
        """The logarithm of each class's probability, up to a constant, by the known words."""
        columns = [self.vocabulary[word] for word in words if word in self.vocabulary]
        evidence: NDArray[np.float64] = self.likelihood[:, columns].sum(axis=1)
        return self.prior + evidence

    def predict(self, words: Sequence[str]) -> str:
        """The most probable class."""
        return self.classes[int(self.scores(words).argmax())]


def fitted(examples: Sequence[Labelled], smoothing: float) -> NaiveBayesModel:
    """The model of labelled examples, with Lidstone's smoothing."""
    classes = sorted({label for label, _ in examples})
    vocabulary = {
        word: column
        for column, word in enumerate(sorted({word for _, words in examples for word in words}))
    }
    counts = np.zeros((len(classes), len(vocabulary)))
    for row, name in enumerate(classes):
        own: Counter[str] = Counter()
        for label, words in examples:
            if label == name:
                own.update(words)
        counts[row, [vocabulary[word] for word in own]] = list(own.values())
    sizes = Counter(label for label, _ in examples)
    prior = np.log(np.array([sizes[name] for name in classes]) / len(examples))
    smoothed = counts + smoothing
    return NaiveBayesModel(
        classes, vocabulary, prior, np.log(smoothed / smoothed.sum(axis=1, keepdims=True))
    )


class NaiveBayes:
    """Fits the model."""

    def __init__(self, smoothing: float = 0.1) -> None:
        self.smoothing = smoothing

    def fit(self, text: str) -> NaiveBayesModel:
        """The model of all entries of the text."""
        return fitted(labelled_entries(text), self.smoothing)


class CrossValidation:
    """How well the model does on entries it was not fitted to.

    Entry i belongs to fold i mod `folds`.
    """

    def __init__(self, folds: int = 8, smoothing: float = 0.1) -> None:
        self.folds = folds
        self.smoothing = smoothing

    @rounded
    def accuracy(self, text: str) -> dict[str, Any]:
        """The share of entries told right in each fold by a model of the others."""
        folds = self._folds(text)
        right = [
            self._right(chain(*folds[:left_out], *folds[left_out + 1 :]), folds[left_out])
            for left_out in range(self.folds)
        ]
        mean = sum(right) / len(right)
        return {"folds": right, "value": mean, "size": sum(map(len, folds))}

    @rounded
    def learning_curve(self, text: str) -> dict[str, Any]:
        """The share told right in the last fold by models of one fold, of two, and so on."""
        *folds, unseen = self._folds(text)
        right = [self._right(chain(*folds[:known]), unseen) for known in range(1, len(folds) + 1)]
        return {"right": right, "gain": right[-1] - right[0], "size": len(unseen)}

    def _folds(self, text: str) -> list[list[Labelled]]:
        examples = labelled_entries(text)
        return [examples[fold :: self.folds] for fold in range(self.folds)]

    def _right(self, known: Iterable[Labelled], unseen: list[Labelled]) -> float:
        model = fitted(list(known), self.smoothing)
        hits = sum(model.predict(words) == label for label, words in unseen)
        return hits / max(len(unseen), 1)
