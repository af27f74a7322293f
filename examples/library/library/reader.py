"""A reader that is loaded once and then asked: it keeps the document between its calls."""

from __future__ import annotations

import doctest
from collections import Counter
from typing import TYPE_CHECKING, Any

from library.pages import Page, entries_of, pages_of

if TYPE_CHECKING:
    from pathlib import Path


class DocumentReader:
    """Holds the pages of the document that `load` read last."""

    def __init__(self) -> None:
        self.pages: list[Page] = []

    def load(self, document: Path) -> None:
        """Read the document at a path, in place of the one read before."""
        self.pages = pages_of(document.read_text("utf-8"))

    def extract_outline(self) -> dict[str, Any]:
        """The pages of the loaded document, and how many classes and functions each has."""
        outline = {}
        for page in self.pages:
            kinds = Counter(entry.kind for entry in entries_of(page.body))
            outline[page.name] = {"classes": kinds["class"], "functions": kinds["def"]}
        return {"outline": outline, "size": len(self.pages)}

    def extract_examples(self) -> dict[str, Any]:
        """Interactive examples per page of the loaded document, most first."""
        parser = doctest.DocTestParser()
        found = {}
        for page in self.pages:
            blocks = [entry.body for entry in entries_of(page.body)]
            count = sum(_examples(parser, block) for block in blocks)
            if count:
                found[page.name] = float(count)
        ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
        return {"ranking": dict(ordered[:120]), "size": sum(map(int, found.values()))}


def _examples(parser: doctest.DocTestParser, text: str) -> int:
    try:
        return len(parser.get_examples(text))
    except ValueError:  # prompts that only look like examples
        return 0
