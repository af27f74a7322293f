"""An index of the terms of every page, with their weights."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from itertools import pairwise
from statistics import median
from typing import Any

from library.areas import area_of
from library.base import WordMethod
from library.figures import rounded
from library.pages import pages_of

SHORTEST = 4


class TermIndex(WordMethod):
    """Where each term stands: an index of the whole text by page and position.

    Costly to build, cheap to ask. Terms on fewer than `min_pages` pages are left out.
    """

    min_length = SHORTEST

    def __init__(self, text: str, min_pages: int = 2) -> None:
        pages = pages_of(text)
        self.areas = [area_of(page) for page in pages]
        self.lengths: list[int] = []
        positions: defaultdict[str, dict[int, list[int]]] = defaultdict(dict)
        for number, page in enumerate(pages):
            words = self.words(page.body)
            self.lengths.append(len(words))
            for position, word in enumerate(words):
                positions[word].setdefault(number, []).append(position)
        self.positions = {
            word: places for word, places in sorted(positions.items()) if len(places) >= min_pages
        }
        self.rarity = {
            word: math.log(len(pages) / len(places)) for word, places in self.positions.items()
        }

    @rounded
    def weights(self) -> dict[str, Any]:
        """Terms by the sum of their tf-idf weights over the pages."""
        totals = {
            word: sum(1 + math.log(len(hits)) for hits in places.values()) * self.rarity[word]
            for word, places in self.positions.items()
        }
        return {"ranking": self.ranking(totals), "size": len(totals)}

    @rounded
    def clumped(self) -> dict[str, Any]:
        """Terms by how much closer together they stand on their page than by chance."""
        scores = {}
        for word, places in self.positions.items():
            page, hits = max(places.items(), key=lambda item: (len(item[1]), -item[0]))
            if len(hits) >= 8:
                even = self.lengths[page] / len(hits)
                scores[word] = even / median(after - before for before, after in pairwise(hits))
        return {"ranking": self.ranking(scores), "size": len(scores)}

    @rounded
    def area_terms(self, sector_id: str) -> dict[str, Any]:
        """The terms with the highest tf-idf weight in one area."""
        pages = {number for number, area in enumerate(self.areas) if area == sector_id}
        counts = Counter(
            {
                word: sum(len(hits) for page, hits in places.items() if page in pages)
                for word, places in self.positions.items()
            }
        )
        scores = {word: count * self.rarity[word] for word, count in counts.items() if count}
        return {"ranking": self.ranking(scores), "size": len(scores)}
