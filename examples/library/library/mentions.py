"""What the text refers to: exceptions, abbreviations, versions, standards."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

EXCEPTION = re.compile(r"\b[A-Z][A-Za-z]*(?:Error|Exception|Warning)\b")
ABBREVIATION = re.compile(r"\b[A-Z]{2,6}\b")
VERSION = re.compile(r"\b[Pp]ython (\d+\.\d+)\b")
STANDARD = re.compile(r"\b(RFC|PEP|ISO)[ -]?(\d{1,5})\b")


class Mentions:
    """Things mentioned, by how often."""

    def __init__(self, size: int = 120) -> None:
        self.size = size

    def exceptions(self, text: str) -> dict[str, Any]:
        """Exceptions and warnings."""
        return self._ranked(EXCEPTION.findall(text))

    def abbreviations(self, text: str) -> dict[str, Any]:
        """Words of capital letters only."""
        return self._ranked(ABBREVIATION.findall(text))

    def standards(self, text: str) -> dict[str, Any]:
        """RFCs, PEPs and ISO standards."""
        return self._ranked([f"{body} {number}" for body, number in STANDARD.findall(text)])

    def _ranked(self, found: list[str]) -> dict[str, Any]:
        counts = Counter(found)
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        return {
            "ranking": {name: float(count) for name, count in ordered[: self.size]},
            "size": len(found),
            "distinct": len(counts),
        }
