"""Topics: directions in which the words of pages vary together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from library.base import WordMethod
from library.figures import rounded
from library.similarity import page_matrix

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMALL = 1e-12
TERMS_SHOWN = 12


class TopicModel(WordMethod):
    """Factors of the matrix of pages and terms."""

    min_length = 4

    def __init__(self, text: str, topics: int = 16, terms: int = 2000, rounds: int = 250) -> None:
        self.topics = topics
        self.rounds = rounds
        self.pages = page_matrix(text, self.min_length, terms)

    @rounded
    def nonnegative(self) -> dict[str, Any]:
        """Topics by nonnegative factors (Lee and Seung's updates from a start by SVD)."""
        matrix = self.pages.weights
        pages, terms = self._start(matrix)
        for _ in range(self.rounds):
            terms *= (pages.T @ matrix) / (pages.T @ pages @ terms + SMALL)
            pages *= (matrix @ terms.T) / (pages @ (terms @ terms.T) + SMALL)
        error = float(np.linalg.norm(matrix - pages @ terms) / np.linalg.norm(matrix))
        return {"topics": self._described(terms), "error": error, "size": len(terms)}

    @rounded
    def latent(self) -> dict[str, Any]:
        """Topics by the singular value decomposition, and the variance each explains."""
        _, values, terms = np.linalg.svd(self.pages.weights, full_matrices=False)
        shares = values**2 / (values**2).sum()
        strongest = np.abs(terms[: self.topics])
        return {
            "topics": self._described(strongest),
            "explained": shares[: self.topics],
            "size": int((shares.cumsum() < 0.9).sum()),
        }

    def _start(
        self, matrix: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Nonnegative factors to begin with: the sizes of the first singular vectors."""
        left, values, right = np.linalg.svd(matrix, full_matrices=False)
        root = np.sqrt(values[: self.topics])
        return np.abs(left[:, : self.topics]) * root, np.abs(right[: self.topics]) * root[:, None]

    def _described(self, weights: NDArray[np.float64]) -> list[list[str]]:
        order = np.argsort(-np.round(weights, 6), axis=1, kind="stable")[:, :TERMS_SHOWN]
        return [[self.pages.terms[term] for term in topic] for topic in order]
