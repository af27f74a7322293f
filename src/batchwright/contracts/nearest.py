"""The nearest name to a mistyped one, as part of a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The most similar of `names`, or None when none is similar."""
    # Only ever needed on the way to an error, so not at the price of every import.
    from difflib import get_close_matches

    lowered = {candidate.lower(): candidate for candidate in names}
    found = get_close_matches(name.lower(), lowered, n=1, cutoff=0.6)
    return lowered[found[0]] if found else None


def hint(name: str, names: Iterable[str]) -> str:
    """`"; did you mean 'x'?"`, or nothing when no name is near."""
    found = nearest(name, names)
    return f"; did you mean '{found}'?" if found is not None else ""


def listing(names: Iterable[str], limit: int = 12) -> str:
    """Names for a message, shortened when there are many; `"none"` when there are none."""
    known = list(names)
    shown = ", ".join(known[:limit]) or "none"
    return f"{shown} and {len(known) - limit} more" if len(known) > limit else shown
