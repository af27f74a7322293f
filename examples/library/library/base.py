"""What the methods that count words have in common."""

from __future__ import annotations

from collections import Counter

from library.words import words_of

RANKED = 120


class WordMethod:
    """Reads a text as normalised words of at least `min_length` letters, stop words left out."""

    min_length = 3

    def words(self, text: str) -> list[str]:
        """The words of a text, in order."""
        return words_of(text, self.min_length)

    def counts(self, text: str) -> Counter[str]:
        """How often each word occurs."""
        return Counter(self.words(text))

    def ranking(self, weights: dict[str, float], size: int = RANKED) -> dict[str, float]:
        """The `size` heaviest items, heaviest first, equal ones by name."""
        ordered = sorted(weights.items(), key=lambda item: (-item[1], item[0]))
        return dict(ordered[:size])
