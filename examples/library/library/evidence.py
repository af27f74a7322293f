"""Reading the results of a phase: a mapping from `provides` name to what a method gave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Facts = Mapping[str, Any]

FAILED = "_error_"


def rankings(facts: Facts) -> dict[str, dict[str, float]]:
    """The rankings among the facts by name; facts of other shapes are left out."""
    return {
        name: fact["ranking"]
        for name, fact in sorted(facts.items())
        if isinstance(fact, Mapping) and fact.get("ranking")
    }


def sizes(facts: Facts) -> dict[str, int]:
    """How much each fact was observed on, for the facts that say so."""
    return {
        name: int(fact["size"])
        for name, fact in sorted(facts.items())
        if isinstance(fact, Mapping) and "size" in fact
    }


def failures(facts: Facts) -> list[str]:
    """The names of the facts whose method failed."""
    return sorted(name.removeprefix(FAILED) for name in facts if name.startswith(FAILED))


def of_type(facts: Facts, kind: type[Any]) -> list[Any]:
    """The facts of a class, by name."""
    return [fact for _, fact in sorted(facts.items()) if isinstance(fact, kind)]
