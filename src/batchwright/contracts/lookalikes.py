"""Warnings of texts that name a file: a text counts as a text, not by the file's contents."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from batchwright.contracts.graph import Step
    from batchwright.contracts.layers import OwnArguments
    from batchwright.contracts.settings import Settings

_LONGEST_PATH = 1024


def texts_naming_files(steps: Iterable[Step]) -> tuple[str, ...]:
    """Warnings of texts among the arguments of Python steps that are the names of files."""
    told: dict[str, None] = {}
    for step in steps:
        for bound in step.bound_arguments():
            text = bound.argument.template
            if type(text) is str and 0 < len(text) <= _LONGEST_PATH and os.path.isfile(text):  # noqa: PTH113
                told[
                    f"{step.label}: argument '{bound.name}' names the file '{text}' but counts as "
                    f"a string, not by its contents; give Path({text!r}) for the file"
                ] = None
    return tuple(told)


class Lookalikes:
    """Looks for texts among arguments that are the names of files; each is told once."""

    def __init__(self, settings: Settings) -> None:
        self._told: dict[tuple[str, str, str], str] = {}
        self._is_file: dict[tuple[Path, str], bool] = {}
        for class_name, table in settings.instances.items():
            for name, value in table.items():
                if isinstance(value, str):
                    self._look_at(f"[instances.{class_name}]", name, value, settings.folder)

    def look(self, method: str, own: OwnArguments) -> None:
        """Look at the own arguments of a method."""
        for name, raw in own.written.items():
            data = bytes(raw)
            if data.startswith(b'"') and len(data) <= _LONGEST_PATH:
                # One that does not decode is an error elsewhere.
                with contextlib.suppress(msgspec.DecodeError):
                    self._look_at(method, name, msgspec.json.decode(data), own.base)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was found."""
        return tuple(self._told.values())

    def _look_at(self, method: str, argument: str, text: str, base: Path) -> None:
        key = (method, argument, text)
        if key not in self._told and (
            self._names_file(base, text) or self._names_file(Path(), text)
        ):
            self._told[key] = (
                f"{method}: argument '{argument}' names the file '{text}' but counts as a string, "
                f'not by its contents; write {{"$path": "{text}"}} for the file'
            )

    def _names_file(self, base: Path, text: str) -> bool:
        key = (base, text)
        if key not in self._is_file:
            # os.path.isfile takes any text, also one that no path can be.
            self._is_file[key] = bool(text) and os.path.isfile(base / text)  # noqa: PTH113
        return self._is_file[key]
