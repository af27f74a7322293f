"""How things are named, and which names and words are nearly the same."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from typing import Any

from library.base import WordMethod
from library.edits import close_pairs
from library.figures import rounded
from library.pages import entries_of

STYLES = {
    "constant": re.compile(r"[A-Z][A-Z0-9_]*"),
    "special": re.compile(r"__\w+__"),
    "private": re.compile(r"_\w+"),
    "capitalised": re.compile(r"[A-Z]\w*"),
    "joined": re.compile(r"[a-z0-9]+(_[a-z0-9]+)+"),
    "plain": re.compile(r"[a-z0-9]+"),
    "camel": re.compile(r"[a-z]+[A-Z]\w*"),
}


class NamingStyle:
    """Styles of names."""

    @rounded
    def shares(self, text: str) -> dict[str, Any]:
        """The share of each style among documented names."""
        names = [entry.name.rpartition(".")[2] for entry in entries_of(text)]
        counts = Counter(map(style_of, names))
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return {
            "ranking": {style: count / len(names) for style, count in ordered},
            "size": len(names),
        }


def style_of(name: str) -> str:
    """The first style whose pattern the whole name matches."""
    for style, pattern in STYLES.items():
        if pattern.fullmatch(name):
            return style
    return "other"


class NameClusters:
    """Names of functions and methods that differ in a letter or two."""

    def __init__(self, max_distance: int = 2, shortest: int = 7) -> None:
        self.max_distance = max_distance
        self.shortest = shortest

    def clusters(self, text: str) -> dict[str, Any]:
        """Groups of names joined by small edits, largest first."""
        names = {entry.name.rpartition(".")[2].strip("_") for entry in entries_of(text)}
        long_enough = [name for name in sorted(names) if len(name) >= self.shortest]
        groups = joined(close_pairs(long_enough, self.max_distance))
        return {"groups": groups, "size": len(long_enough)}


def joined(pairs: list[tuple[str, str]]) -> list[list[str]]:
    """Connected groups of what the pairs join, largest first."""
    neighbours: defaultdict[str, list[str]] = defaultdict(list)
    for first, second in pairs:
        neighbours[first].append(second)
        neighbours[second].append(first)
    groups, seen = [], set()
    for start in sorted(neighbours):
        if start in seen:
            continue
        group, open_ends = {start}, [start]
        while open_ends:
            new = [name for name in neighbours[open_ends.pop()] if name not in group]
            group.update(new)
            open_ends.extend(new)
        seen |= group
        groups.append(sorted(group))
    return sorted(groups, key=lambda group: (-len(group), group))


class Spelling(WordMethod):
    """Rare words that may be misspelt frequent ones."""

    min_length = 8

    def __init__(self, edits: int = 2, rare: int = 2, frequent: int = 20) -> None:
        self.edits = edits
        self.rare = rare
        self.frequent = frequent

    @rounded
    def candidates(self, text: str) -> dict[str, Any]:
        """Rare words a few edits from a frequent one, by how much more frequent that is."""
        counts = self.counts(text)
        pairs = close_pairs(counts, self.edits)
        found = {}
        for rare, frequent in [*pairs, *(pair[::-1] for pair in pairs)]:
            if counts[rare] <= self.rare and counts[frequent] >= self.frequent:
                found[f"{rare} {frequent}"] = counts[frequent] / counts[rare]
        return {"ranking": self.ranking(found), "size": len(found)}
