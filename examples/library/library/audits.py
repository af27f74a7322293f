"""Audits of what was observed and inferred. Their figures decide over the contracts' vetoes."""

from __future__ import annotations

from typing import Any

from library.areas import area_text
from library.evidence import Facts, failures, rankings, sizes
from library.figures import rounded
from library.words import occurrences, words_of


class CompletenessAudit:
    """Whether anything is missing."""

    @rounded
    def missing(self, raw_facts: Facts, inferences: Facts) -> dict[str, Any]:
        """What failed, what came out empty, and the share of results that are there."""
        failed = failures(raw_facts) + failures(inferences)
        empty = [
            name for name, size in {**sizes(raw_facts), **sizes(inferences)}.items() if not size
        ]
        whole = len(raw_facts) + len(inferences)
        return {
            "missing": len(failed),
            "failed": failed,
            "empty": sorted(empty),
            "completeness_score": 1 - (len(failed) + len(empty)) / max(whole, 1),
        }


class CoherenceAudit:
    """Whether what was inferred hangs together."""

    def __init__(self, scale: float = 2.5) -> None:
        self.scale = scale

    @rounded
    def check(self, inferences: Facts) -> dict[str, Any]:
        """A score from 0 to 1 from the overlap of rankings and the words that they share."""
        parts = {}
        if "coherence" in inferences:
            parts["overlap"] = min(self.scale * inferences["coherence"]["coherence"], 1.0)
        if "support" in inferences:
            parts["shared"] = min(self.scale * inferences["support"]["shared"], 1.0)
        score = sum(parts.values()) / len(parts) if parts else 0.5
        return {"coherence_score": score, "parts": parts}


class ConsistencyAudit:
    """Whether the inferences are borne out by the facts."""

    @rounded
    def agreement(self, raw_facts: Facts, inferences: Facts) -> dict[str, Any]:
        """The share of inferred top words that each observed ranking knows."""
        inferred = {
            word
            for ranking in rankings(inferences).values()
            for item in list(ranking)[:20]
            for word in words_of(item)
        }
        known = {
            name: len(inferred & {word for item in ranking for word in words_of(item)})
            / max(len(inferred), 1)
            for name, ranking in rankings(raw_facts).items()
        }
        best = max(known.values(), default=0.0)
        return {"consistency_score": best, "known": known, "inferred": len(inferred)}


class EvidenceAudit:
    """Whether the text can answer the question at all."""

    def __init__(self, enough: int = 20) -> None:
        self.enough = enough

    @rounded
    def coverage(self, text: str, question_context: dict[str, Any]) -> dict[str, Any]:
        """How many of the question's keywords occur often enough."""
        lowered = text.lower()
        hits = {
            word: occurrences(lowered, word.lower())
            for word in sorted(question_context["keywords"])
        }
        enough = sum(count >= self.enough for count in hits.values())
        return {"coverage": enough / max(len(hits), 1), "hits": hits}


class AreaAudit:
    """Whether an area has enough text to say anything about it."""

    def __init__(self, enough_words: int = 4000) -> None:
        self.enough_words = enough_words

    @rounded
    def presence(self, text: str, sector_id: str) -> dict[str, Any]:
        """The words of the area, and a score that is 1 from `enough_words` on."""
        size = len(words_of(area_text(text, sector_id)))
        return {"presence_score": min(size / self.enough_words, 1.0), "words": size}
