"""A run's inputs: what `--input` and the settings' `[inputs]` give to all contracts by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from batchwright.contracts.graph import Argument
from batchwright.errors import RequestError, UnreadableInput

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from batchwright.contracts.constants import Constants
    from batchwright.contracts.signature import Wants

_TEXT = "@"
_REFUSED = Argument(None)


class Inputs:
    """The inputs of a run by name; a lookup layer for binding.

    A string or a `Path` is a file or folder, `"@path"` the text of a file, and anything else a
    constant. `given` stands before `written`, the settings' inputs, whose paths are relative
    to `written_base`.
    """

    title = "inputs"

    def __init__(
        self,
        constants: Constants,
        given: Mapping[str, Any],
        written: Mapping[str, Any],
        written_base: Path,
    ) -> None:
        self._constants = constants
        self._values = {name: (value, written_base) for name, value in written.items()}
        self._values |= {name: (value, Path.cwd()) for name, value in given.items()}
        self._given = frozenset(given)
        self._made: dict[tuple[str, Wants], Argument] = {}
        self._refused: set[str] = set()

    def names(self) -> Collection[str]:
        """The names there are."""
        return self._values.keys()

    def find(self, name: str, wants: Wants) -> Argument | None:
        """The input's argument as the parameter wants it, or None when there is no such input.

        Raises `MissingPath` or `UnreadableInput`, naming the input.
        """
        if name not in self._values:
            return None
        if name in self._refused:
            return _REFUSED
        value, base = self._values[name]
        # Only a path depends on what is wanted, and it is a `Path` unless text is wanted.
        if wants != "str" or not isinstance(value, str | Path) or _is_text(value):
            wants = "any"
        if (name, wants) not in self._made:
            try:
                self._made[name, wants] = self._argument(value, base, wants)
            except RequestError as error:
                raise type(error)(f"{self.told(name)}: {error.message}") from error
        return self._made[name, wants]

    def told(self, name: str) -> str:
        """Where an input was given, for messages."""
        return f"--input {name}" if name in self._given else f"[inputs] {name}"

    def errors(self) -> list[RequestError]:
        """Every input that cannot be read, whether a method asks for it or not.

        Told here, it is not told again for every method that asks for it.
        """
        found = []
        for name in self._values:
            try:
                self.find(name, "any")
            except RequestError as error:
                found.append(error)
                self._refused.add(name)
        return found

    def _argument(self, value: Any, base: Path, wants: Wants) -> Argument:
        if _is_text(value):
            path = self._constants.file(base / value[len(_TEXT) :]).path
            return Argument(_text(path))
        if isinstance(value, str | Path):
            if not str(value):
                raise UnreadableInput("no path is given")
            return Argument.of(self._constants.file(base / value, wants))
        return self._constants.of_value(value, base)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(_TEXT)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableInput(
            f"{path} is not UTF-8 text (byte {error.start}); save it as UTF-8, or give the path "
            "without @ and let the method read it"
        ) from error
    except OSError as error:
        raise UnreadableInput(f"cannot read {path}: {error.strerror or error}") from error
