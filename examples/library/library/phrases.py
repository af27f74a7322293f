"""Words that stand together."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from library.base import WordMethod
from library.figures import entropy, rounded

if TYPE_CHECKING:
    from collections.abc import Iterator


class NGrams(WordMethod):
    """Runs of `size` words."""

    def __init__(self, size: int = 2) -> None:
        self.size = size

    @rounded
    def top(self, text: str) -> dict[str, Any]:
        """The most frequent runs, with their share of all runs."""
        counts = self._grams(text)
        total = counts.total()
        frequent = {
            " ".join(gram): count / total for gram, count in counts.items() if count > self.size
        }
        return {"ranking": self.ranking(frequent), "size": total, "distinct": len(counts)}

    @rounded
    def surprise(self, text: str) -> dict[str, Any]:
        """Bits that a word costs when those before it in a run are known."""
        longer = self._grams(text)
        shorter: Counter[tuple[str, ...]] = Counter()
        for gram, count in longer.items():
            shorter[gram[:-1]] += count
        joint, known = entropy(list(longer.values())), entropy(list(shorter.values()))
        return {"bits": joint - known, "joint": joint, "size": longer.total()}

    def _grams(self, text: str) -> Counter[tuple[str, ...]]:
        words = self.words(text)
        return Counter(zip(*(words[start:] for start in range(self.size)), strict=False))


class Collocations(WordMethod):
    """Pairs of words that follow each other more often than chance would have it."""

    min_length = 4

    def __init__(self, window: int = 3, min_count: int = 5) -> None:
        self.window = window
        self.min_count = min_count

    @rounded
    def by_information(self, text: str) -> dict[str, Any]:
        """Pairs by pointwise mutual information, weighted by how often they occur."""
        words = self.words(text)
        single, pairs = Counter(words), self._pairs(words)
        total = pairs.total()
        scored = {
            f"{a} {b}": count / total * math.log2(count * len(words) / (single[a] * single[b]))
            for (a, b), count in pairs.items()
            if count >= self.min_count
        }
        return {"ranking": self.ranking(scored), "size": len(scored)}

    @rounded
    def by_likelihood(self, text: str) -> dict[str, Any]:
        """Pairs by Dunning's log-likelihood ratio."""
        words = self.words(text)
        single, pairs = Counter(words), self._pairs(words)
        scored = {
            f"{a} {b}": likelihood_ratio(count, single[a], single[b], len(words))
            for (a, b), count in pairs.items()
            if count >= self.min_count
        }
        return {"ranking": self.ranking(scored), "size": len(scored)}

    def _pairs(self, words: list[str]) -> Counter[tuple[str, str]]:
        counts: Counter[tuple[str, str]] = Counter()
        for distance in range(1, self.window):
            counts.update(zip(words, words[distance:], strict=False))
        return counts


def likelihood_ratio(both: int, first: int, second: int, total: int) -> float:
    """Dunning's G2 of the two by two table of two words."""
    rest_first, rest_second = max(first - both, 0), max(second - both, 0)
    table = (both, rest_first, rest_second, max(total - both - rest_first - rest_second, 0))
    rows, columns = (first, total - first), (second, total - second)
    expected = [row * column / total for row in rows for column in columns]
    observed = (table[0], table[1], table[2], table[3])
    return 2 * math.fsum(
        seen * math.log(seen / chance)
        for seen, chance in zip(observed, expected, strict=True)
        if seen and chance > 0
    )


class KeywordContext:
    """A question's keywords in their surroundings."""

    def __init__(self, width: int = 40, lines: int = 60) -> None:
        self.width = width
        self.lines_wanted = lines

    def lines(self, text: str, question_context: dict[str, Any]) -> dict[str, Any]:
        """The first places where each keyword stands, and how often each stands."""
        keywords = sorted(question_context["keywords"])
        found = {keyword: list(self._hits(text, keyword)) for keyword in keywords}
        return {
            "lines": {word: hits[: self.lines_wanted] for word, hits in found.items()},
            "ranking": {word: float(len(hits)) for word, hits in found.items()},
            "size": sum(map(len, found.values())),
        }

    def _hits(self, text: str, keyword: str) -> Iterator[str]:
        for match in _whole_word(text, keyword):
            start, end = match.start() - self.width, match.end() + self.width
            yield " ".join(text[max(start, 0) : end].split())


def _whole_word(text: str, word: str) -> Iterator[re.Match[str]]:
    return re.finditer(rf"\b{re.escape(word)}\b", text, re.IGNORECASE)
