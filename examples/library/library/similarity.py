"""Pages and entries that resemble each other."""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from library.base import WordMethod
from library.figures import rounded, unit_rows
from library.pages import entries_of, pages_of
from library.words import words_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

# A prime above every checksum, for hash functions of the form (a x + b) mod p.
PRIME = (1 << 61) - 1
SEED = 20_260


@dataclass(frozen=True)
class PageMatrix:
    """Weights of terms on pages: row i is page `names[i]`, column j is `terms[j]`."""

    names: list[str]
    terms: list[str]
    weights: NDArray[np.float64]


def page_matrix(text: str, min_length: int, size: int) -> PageMatrix:
    """The tf-idf weights of the `size` terms that stand on the most pages, rows of length 1."""
    pages = pages_of(text)
    counts = [Counter(words_of(page.body, min_length)) for page in pages]
    spread = Counter(word for page in counts for word in page)
    useful = [(word, on) for word, on in spread.items() if 1 < on < 0.6 * len(pages)]
    terms = sorted(word for word, _ in sorted(useful, key=lambda item: (-item[1], item[0]))[:size])
    column = {term: number for number, term in enumerate(terms)}
    matrix = np.zeros((len(pages), len(terms)))
    for row, page in enumerate(counts):
        for word, count in page.items():
            if word in column:
                matrix[row, column[word]] = 1 + np.log(count)
    rarity = np.log(len(pages) / np.array([spread[term] for term in terms]))
    return PageMatrix([page.name for page in pages], terms, unit_rows(matrix * rarity))


class PageVectors(WordMethod):
    """The pages as vectors of term weights."""

    min_length = 4

    def __init__(self, text: str, terms: int = 2500) -> None:
        self.pages = page_matrix(text, self.min_length, terms)

    @rounded
    def nearest(self) -> dict[str, Any]:
        """For each page the page most like it, and the most alike pairs."""
        likeness = self._likeness()
        best = likeness.argmax(axis=1)
        strength = likeness[np.arange(len(best)), best]
        names = self.pages.names
        pairs = {
            " ".join(sorted((names[row], names[other]))): float(strength[row])
            for row, other in enumerate(best)
        }
        return {
            "nearest": {names[row]: names[other] for row, other in enumerate(best)},
            "ranking": self.ranking(pairs),
            "size": len(names),
        }

    @rounded
    def likeness(self) -> NDArray[np.float64]:
        """The cosine of every two pages, as a matrix, 0 in the diagonal."""
        return self._likeness()

    def _likeness(self) -> NDArray[np.float64]:
        matrix = self.pages.weights @ self.pages.weights.T
        np.fill_diagonal(matrix, 0.0)
        return matrix


class NearDuplicates:
    """Entries whose documentation is almost the same, found by MinHash."""

    def __init__(
        self, permutations: int = 96, bands: int = 24, shingle: int = 3, threshold: float = 0.6
    ) -> None:
        self.permutations = permutations
        self.bands = bands
        self.shingle = shingle
        self.threshold = threshold

    @rounded
    def pairs(self, text: str) -> dict[str, Any]:
        """Pairs of entries by the share of shingles they have in common."""
        shingles = self._shingles(text)
        names = list(shingles)
        candidates = self._candidates(self._signatures(list(shingles.values())))
        alike = {}
        for a, b in candidates:
            first, second = shingles[names[a]], shingles[names[b]]
            common = len(np.intersect1d(first, second, assume_unique=True))
            share = common / (len(first) + len(second) - common)
            if share >= self.threshold:
                alike[f"{names[a]} {names[b]}"] = share
        best = sorted(alike.items(), key=lambda item: (-item[1], item[0]))
        return {"pairs": [pair.split() for pair, _ in best[:500]], "size": len(alike)}

    def _shingles(self, text: str) -> dict[str, NDArray[np.uint64]]:
        """The hashed runs of words of each entry that has enough of them."""
        found = {}
        for page in pages_of(text):
            for entry in entries_of(page.body):
                words = words_of(entry.body)
                runs = zip(*(words[start:] for start in range(self.shingle)), strict=False)
                codes = {zlib.crc32(" ".join(run).encode()) for run in runs}
                if len(codes) >= 5:
                    found[f"{page.name}.{entry.name}"] = np.array(sorted(codes), dtype=np.uint64)
        return found

    def _signatures(self, shingles: Sequence[NDArray[np.uint64]]) -> NDArray[np.uint64]:
        """One row per entry, one column per hash function: its least hash."""
        if not shingles:
            return np.zeros((0, self.permutations), dtype=np.uint64)
        generator = np.random.default_rng(SEED)
        factors = generator.integers(1, 1 << 28, size=(2, self.permutations), dtype=np.uint64)
        flat = np.concatenate(shingles)
        starts = np.cumsum([0, *map(len, shingles[:-1])])
        columns = [
            np.minimum.reduceat((flat * a + b) % np.uint64(PRIME), starts) for a, b in factors.T
        ]
        return np.column_stack(columns)

    def _candidates(self, signatures: NDArray[np.uint64]) -> list[tuple[int, int]]:
        """Pairs that agree in all rows of at least one band."""
        found: set[tuple[int, int]] = set()
        for band in np.split(signatures, self.bands, axis=1):
            buckets: defaultdict[bytes, list[int]] = defaultdict(list)
            for number, row in enumerate(band):
                buckets[row.tobytes()].append(number)
            found.update(_pairs(buckets.values()))
        return sorted(found)


def _pairs(groups: Iterable[list[int]]) -> list[tuple[int, int]]:
    return [pair for group in groups for pair in combinations(group[:50], 2)]
