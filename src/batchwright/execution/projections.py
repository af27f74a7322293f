"""Parts of results that steps read (`s[k]`), each told by a digest of its own; and paths."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchwright.contracts.graph import FileInput, Reference, leaves
from batchwright.fleet.keys import opaque_digest
from batchwright.fleet.lookup import part_name, result_digest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from batchwright.contracts.graph import Bound
    from batchwright.fleet.keys import Keyed


def parts_asked_for(keyed: Keyed) -> dict[int, list[tuple[Any, ...]]]:
    """For each unique step, the projections of its result that some step reads."""
    asked: dict[int, dict[str, tuple[Any, ...]]] = {}
    for step in keyed.graph.steps:
        for bound in step.bound_arguments():
            for leaf in leaves(bound.argument.template) if bound.argument.steps else ():
                if isinstance(leaf, Reference) and leaf.items:
                    parts = asked.setdefault(keyed.of[leaf.step], {})
                    parts[part_name(leaf.items)] = leaf.items
    return {number: list(parts.values()) for number, parts in asked.items()}


def digests_of_parts(
    value: Any, wanted: Iterable[tuple[Any, ...]], key: str | None, nonce: str = ""
) -> dict[str, str]:
    """The digests of parts of a value, by name; opaque parts are told by the value's key."""
    found: dict[str, str] = {}
    for items in wanted:
        part = value
        try:
            for item in items:
                part = part[item]
        except Exception:  # noqa: S112  # the consumer that asks for it fails with it
            continue
        digest = result_digest(part, None)
        if digest is None and key is not None:
            digest = opaque_digest(key, items, nonce)
        if digest is not None:
            found[part_name(items)] = digest
    return found


def paths_in(bound: Bound) -> list[Path]:
    """The files and folders that an argument names."""
    return [
        leaf.path if isinstance(leaf, FileInput) else leaf
        for leaf in leaves(bound.argument.template)
        if isinstance(leaf, FileInput | Path)
    ]
