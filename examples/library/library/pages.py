"""The document as pages, one per module or topic, and the entries of a page."""

from __future__ import annotations

import re
from dataclasses import dataclass

PAGE = re.compile(r"^# (module|topic) (\S+)$", re.MULTILINE)
ENTRY = re.compile(r"^## (class|def) ([\w.]+)\((.*)\)$", re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """One module's documentation, or one topic of the language reference."""

    kind: str
    name: str
    body: str


@dataclass(frozen=True)
class Entry:
    """A documented class or function: its dotted name, and its parameters or bases as written."""

    kind: str
    name: str
    parameters: str
    body: str


def pages_of(text: str) -> list[Page]:
    """The pages of the document in order; what stands before the first heading is left out."""
    headings = list(PAGE.finditer(text))
    edges = [*(heading.start() for heading in headings), len(text)]
    return [
        Page(heading[1], heading[2], text[heading.end() : end])
        for heading, end in zip(headings, edges[1:], strict=True)
    ]


def entries_of(text: str) -> list[Entry]:
    """The documented classes and functions of a page, or of the whole document."""
    headings = list(ENTRY.finditer(text))
    edges = [*(heading.start() for heading in headings), len(text)]
    return [
        Entry(heading[1], heading[2], heading[3], text[heading.end() : end])
        for heading, end in zip(headings, edges[1:], strict=True)
    ]
