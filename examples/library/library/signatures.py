"""The declarations of functions and classes."""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from library.figures import rounded
from library.pages import Entry, entries_of

ENCODING = "utf-8"


@dataclass(frozen=True)
class Signature:
    """A function's parameters by name, in order, and the defaults of those that have one."""

    name: str
    parameters: tuple[str, ...]
    defaults: dict[str, str]


def signature_of(entry: Entry) -> Signature:
    """The signature of a function entry, its parameters parsed as Python."""
    arguments = ast.parse(f"lambda {entry.parameters}: 0", mode="eval").body
    assert isinstance(arguments, ast.Lambda)  # noqa: S101  # what the line above spells
    given = arguments.args
    positional = [*given.posonlyargs, *given.args]
    with_default = positional[len(positional) - len(given.defaults) :]
    pairs = [*zip(with_default, given.defaults, strict=True)]
    pairs += [(a, d) for a, d in zip(given.kwonlyargs, given.kw_defaults, strict=True) if d]
    names = [argument.arg for argument in [*positional, *given.kwonlyargs]]
    return Signature(entry.name, tuple(names), {a.arg: ast.unparse(d) for a, d in pairs})


def signatures_of(text: str) -> list[Signature]:
    """The signatures of all documented functions that a lambda could have.

    Annotated parameters are left out: their declaration is no lambda's.
    """
    functions = (entry for entry in entries_of(text) if entry.kind == "def")
    return [signature_of(entry) for entry in functions if ":" not in entry.parameters]


class Signatures:
    """Functions as declared."""

    def parse(self, document: str, longest: int = 200) -> list[Signature]:
        """The functions with the most parameters in the document at a path."""
        text = Path(document).read_text(ENCODING)
        ordered = sorted(signatures_of(text), key=lambda one: (-len(one.parameters), one.name))
        return ordered[:longest]


class Parameters:
    """What parameters are called, and what they are when not given."""

    @rounded
    def names(self, text: str) -> dict[str, Any]:
        """Names by their share of all parameters; self and cls do not count."""
        found = Counter(
            name
            for one in signatures_of(text)
            for name in one.parameters
            if name not in {"self", "cls"}
        )
        return _ranked(found)

    @rounded
    def defaults(self, text: str) -> dict[str, Any]:
        """Default values by their share of all defaults."""
        found = Counter(value for one in signatures_of(text) for value in one.defaults.values())
        return _ranked(found)


def _ranked(found: Counter[str]) -> dict[str, Any]:
    total = found.total()
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:120]
    return {"ranking": {name: count / total for name, count in ordered}, "size": total}
