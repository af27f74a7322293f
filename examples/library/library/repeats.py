"""Passages that occur more than once, by an index of everything that follows each word."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from library.figures import rounded
from library.words import HEADING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

TOKEN = re.compile(r"\w+")


class SuffixIndex:
    """The suffix array of the text's words: all places, sorted by what follows.

    Costly to build, cheap to ask. Words are compared in lower case.
    """

    def __init__(self, text: str) -> None:
        self.words = [word.lower() for word in TOKEN.findall(HEADING.sub("", text))]
        self.order = suffix_order(self.words)
        self.common = common_prefixes(self.words, self.order)

    @rounded
    def repeats(self) -> dict[str, Any]:
        """The longest passages that occur twice, and the share of places inside a repeat."""
        longest = []
        covered = np.zeros(len(self.words), dtype=bool)
        for row in np.argsort(-self.common, kind="stable")[:2000]:
            place, length = int(self.order[row]), int(self.common[row])
            if not covered[place]:
                longest.append(" ".join(self.words[place : place + min(length, 30)]))
            covered[place : place + length] = True
        repeated = float((self.common >= 5).mean())
        return {"passages": longest[:60], "repeated": repeated, "size": len(longest)}

    def phrases(self, question_context: dict[str, Any]) -> dict[str, Any]:
        """How often each keyword stands, and the words that follow it most, by bisection."""
        found = {}
        for keyword in sorted(question_context["keywords"]):
            low, high = self._range(keyword)
            after = [self.words[place + 1] for place in self.order[low : high - 1]]
            names, counts = np.unique(after, return_counts=True)
            best = np.argsort(-counts, kind="stable")[:8]
            found[keyword] = {str(names[row]): int(counts[row]) for row in best}
        return {"followers": found, "size": len(found)}

    def _range(self, word: str) -> tuple[int, int]:
        """The rows of the suffixes that begin with a word."""
        low, high = 0, len(self.order)
        while low < high:
            middle = (low + high) // 2
            if self.words[self.order[middle]] < word:
                low = middle + 1
            else:
                high = middle
        end = low
        while end < len(self.order) and self.words[self.order[end]] == word:
            end += 1
        return low, end


def suffix_order(words: Sequence[str]) -> NDArray[np.int64]:
    """The places of a text sorted by what follows, by doubling (Manber and Myers)."""
    _, rank = np.unique(np.array(words), return_inverse=True)
    size, step = len(words), 1
    while True:
        following = np.full(size, -1, dtype=np.int64)
        following[:-step] = rank[step:]
        keys = rank.astype(np.int64) * (size + 1) + following + 1
        order = np.argsort(keys, kind="stable")
        rank = np.empty(size, dtype=np.int64)
        rank[order] = np.concatenate([[0], np.cumsum(np.diff(keys[order]) > 0)])
        if rank.max() == size - 1 or step >= size:
            return order
        step *= 2


def common_prefixes(words: Sequence[str], order: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many words each row of the order shares with the next one (Kasai's algorithm)."""
    places = order.tolist()
    row_of = np.argsort(order).tolist()
    common = [0] * len(places)
    length = 0
    for place, row in enumerate(row_of):
        if row + 1 == len(places):
            length = 0
            continue
        other = places[row + 1]
        end = len(words) - max(place, other)
        while length < end and words[place + length] == words[other + length]:
            length += 1
        common[row] = length
        length = max(length - 1, 0)
    return np.array(common, dtype=np.int64)
