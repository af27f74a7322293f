"""Where a cache may be kept."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from batchwright.errors import CachingError

if TYPE_CHECKING:
    from collections.abc import Sequence

Location = str | os.PathLike[str] | None


def located(location: Location | Sequence[Location]) -> list[Path | None]:
    """The tiers that a location names, nearest first: None for memory, else a folder.

    Raises CachingError for what names none.
    """
    if location is None or isinstance(location, (str, os.PathLike)):
        return [_location(location)]
    if not location:
        raise CachingError("the cache's location is an empty list; name a folder, or None")
    return [_location(each) for each in location]


def _location(location: Location) -> Path | None:
    if location is None:
        return None
    text = os.fspath(location)
    if "://" in text:
        scheme = text.split("://", 1)[0]
        raise CachingError(
            f"the cache's location {scheme}://... is a URL, which this version cannot use; "
            "name a folder, or None for memory"
        )
    return Path(text).expanduser().absolute()
