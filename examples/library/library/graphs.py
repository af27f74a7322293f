"""Words and pages as graphs."""

from __future__ import annotations

import re
from collections import Counter, deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from library.base import WordMethod
from library.figures import rounded
from library.pages import pages_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

DAMPING = 0.85
ROUNDS = 60


@dataclass(frozen=True)
class Edge:
    """Two words that stand near each other, and how often."""

    first: str
    second: str
    count: int


class CooccurrenceGraph(WordMethod):
    """Words joined when they stand within `window` words of each other."""

    min_length = 4

    def __init__(self, text: str, window: int = 5, size: int = 1800) -> None:
        words = self.words(text)
        self.names = [word for word, _ in Counter(words).most_common(size)]
        number = {word: place for place, word in enumerate(self.names)}
        codes = np.array([number.get(word, -1) for word in words])
        self.meetings = np.zeros((len(self.names), len(self.names)))
        for distance in range(1, window):
            a, b = codes[:-distance], codes[distance:]
            known = (a >= 0) & (b >= 0) & (a != b)
            np.add.at(self.meetings, (a[known], b[known]), 1)
        self.meetings += self.meetings.T.copy()

    def edges(self) -> list[Edge]:
        """The hundred heaviest edges."""
        upper = np.triu(self.meetings)
        order = np.argsort(-upper, axis=None, kind="stable")[:100]
        rows, columns = np.unravel_index(order, upper.shape)
        return [
            Edge(self.names[row], self.names[column], int(upper[row, column]))
            for row, column in zip(rows, columns, strict=True)
        ]

    @rounded
    def pagerank(self) -> dict[str, Any]:
        """Words by PageRank on the graph."""
        totals = self.meetings.sum(axis=0)
        flow = np.divide(self.meetings, totals, out=np.zeros_like(self.meetings), where=totals > 0)
        rank = np.full(len(self.names), 1 / len(self.names))
        for _ in range(ROUNDS):
            rank = (1 - DAMPING) / len(rank) + DAMPING * (flow @ rank)
        named = dict(zip(self.names, rank.tolist(), strict=True))
        return {"ranking": self.ranking(named), "size": len(named)}

    def communities(self) -> dict[str, Any]:
        """Groups of words by label propagation over above-average ties, largest first."""
        ties = self._ties()
        label = list(range(len(self.names)))
        for _ in range(ROUNDS):
            before = list(label)
            for node, neighbours in enumerate(ties):
                if neighbours:
                    weights: Counter[int] = Counter()
                    for other, weight in neighbours.items():
                        weights[label[other]] += weight
                    label[node] = min(weights, key=lambda name: (-weights[name], name))
            if label == before:
                break
        groups: dict[int, list[str]] = {}
        for node, name in enumerate(label):
            groups.setdefault(name, []).append(self.names[node])
        ordered = sorted(groups.values(), key=lambda group: (-len(group), group))
        return {"groups": [group for group in ordered if len(group) > 1], "size": len(ordered)}

    @rounded
    def bridges(self) -> dict[str, Any]:
        """Words by betweenness: the share of shortest paths that lead over them (Brandes)."""
        ties = self._ties()
        between = np.zeros(len(ties))
        for source in range(len(ties)):
            between += _dependencies(ties, source)
        scale = max((len(ties) - 1) * (len(ties) - 2), 1)
        named = dict(zip(self.names, (between / scale).tolist(), strict=True))
        return {"ranking": self.ranking(named), "size": len(ties)}

    def _ties(self) -> list[dict[int, int]]:
        """For each word the words it meets more often than twice what chance gives."""
        totals = self.meetings.sum(axis=1)
        expected = np.outer(totals, totals) / max(totals.sum(), 1.0)
        strong = (self.meetings > 2 * expected) & (self.meetings >= 12)
        return [
            {int(other): int(self.meetings[row, other]) for other in np.flatnonzero(strong[row])}
            for row in range(len(self.names))
        ]


def _dependencies(ties: list[dict[int, int]], source: int) -> NDArray[np.float64]:
    """How much each node carries of the shortest paths that begin at `source`."""
    distance, paths = [-1] * len(ties), [0] * len(ties)
    distance[source], paths[source] = 0, 1
    order, queue = [], deque([source])
    while queue:
        node = queue.popleft()
        order.append(node)
        for other in ties[node]:
            if distance[other] < 0:
                distance[other] = distance[node] + 1
                queue.append(other)
            if distance[other] == distance[node] + 1:
                paths[other] += paths[node]
    carried = [0.0] * len(ties)
    for node in reversed(order):
        for other in ties[node]:
            if distance[other] == distance[node] + 1:
                carried[node] += paths[node] / paths[other] * (1 + carried[other])
    carried[source] = 0.0
    return np.array(carried)


class CrossReferences:
    """Modules that mention each other."""

    @rounded
    def hubs(self, text: str) -> dict[str, Any]:
        """Modules by Kleinberg's hub and authority scores."""
        names, links = _links(text)
        authority = np.ones(len(names))
        for _ in range(ROUNDS):
            hub = links @ authority
            hub /= np.linalg.norm(hub) or 1.0
            authority = links.T @ hub
            authority /= np.linalg.norm(authority) or 1.0
        named = dict(zip(names, authority.tolist(), strict=True))
        best = sorted(named.items(), key=lambda item: (-item[1], item[0]))
        return {"ranking": dict(best[:120]), "hub": names[int(hub.argmax())], "size": len(names)}


def _links(text: str) -> tuple[list[str], NDArray[np.float64]]:
    """The modules, and how often the one in a row mentions the one in a column."""
    pages = [page for page in pages_of(text) if page.kind == "module"]
    number = {page.name: row for row, page in enumerate(pages)}
    links = np.zeros((len(pages), len(pages)))
    for row, page in enumerate(pages):
        for name, count in Counter(re.findall(r"\b[a-z_]+(?:\.[a-z_]+)*\b", page.body)).items():
            column = number.get(name)
            if column is not None and column != row:
                links[row, column] = count
    return list(number), links
