"""Edit distance between words, and how to find close ones without comparing all."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def distance(first: str, second: str, limit: int) -> int:
    """Levenshtein's distance, or `limit` + 1 when it is larger."""
    if abs(len(first) - len(second)) > limit:
        return limit + 1
    row = list(range(len(second) + 1))
    for number, letter in enumerate(first, 1):
        before, row[0] = row[0], number
        for place, other in enumerate(second, 1):
            best = min(row[place] + 1, row[place - 1] + 1, before + (letter != other))
            before, row[place] = row[place], best
        if min(row) > limit:
            return limit + 1
    return row[-1]


def shortened(word: str, times: int) -> Iterator[str]:
    """The word, and what is left of it after deleting up to `times` letters."""
    forms = {word: None}
    for _ in range(times):
        forms |= {f[:place] + f[place + 1 :]: None for f in list(forms) for place in range(len(f))}
    yield from forms


def close_pairs(words: Iterable[str], limit: int) -> list[tuple[str, str]]:
    """All pairs of different words at most `limit` edits apart, sorted.

    Two such words share a form that at most `limit` deletions leave of each.
    """
    by_form: defaultdict[str, list[str]] = defaultdict(list)
    for word in sorted(set(words)):
        for form in shortened(word, limit):
            by_form[form].append(word)
    candidates = {
        (group[first], second)
        for group in by_form.values()
        for first in range(len(group))
        for second in group[first + 1 :]
    }
    return sorted(pair for pair in candidates if distance(*pair, limit) <= limit)
