"""Values written in contracts and settings, as arguments: constants and paths."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from batchwright.contracts.graph import Argument, FileInput
from batchwright.errors import InvalidContract, MissingPath, UnreadableInput

if TYPE_CHECKING:
    from batchwright.contracts.signature import Wants

_PATH = "$path"


class Constants:
    """Makes arguments of written values, one `Argument` for equal ones.

    So that what is computed for an argument, its digest above all, is computed once for a
    whole fleet.
    """

    def __init__(self) -> None:
        self._by_json: dict[tuple[bytes, Path | None, str], Argument] = {}
        self._by_value: dict[tuple[type, str], Argument] = {}
        self._checked: dict[Path, MissingPath | UnreadableInput | None] = {}

    def of_json(self, raw: bytes, base: Path | None, wants: Wants = "any") -> Argument:
        """The argument for JSON text in which `{"$path": file}` is relative to `base`.

        Without a `base` that is a value like any other. Raises `MissingPath`,
        `UnreadableInput`, or `InvalidContract` for a malformed path or value.
        """
        # Only paths depend on where they are written and on what the parameter wants.
        path = base is not None and (b"$path" in raw or b"\\u" in raw)
        key = (raw, base if path else None, wants if path else "any")
        if key not in self._by_json:
            self._by_json[key] = self.of_value(_decoded(raw), base, wants)
        return self._by_json[key]

    def of_value(self, value: Any, base: Path | None, wants: Wants = "any") -> Argument:
        """The argument for a decoded value; the same rules and errors as `of_json`."""
        if value is None or type(value) in (str, int, float, bool):
            key = (type(value), repr(value))
            return self._by_value.setdefault(key, Argument(value))
        return Argument(value) if base is None else self._argument(value, base, wants)

    def file(self, path: Path, wants: Wants = "any") -> FileInput:
        """A file or folder that is there and may be read.

        Raises `MissingPath` or `UnreadableInput`.
        """
        # Not resolved: a link's own name is what the user gave, and counts.
        path = Path(os.path.abspath(path))  # noqa: PTH100
        if path not in self._checked:
            self._checked[path] = _checked(path)
        error = self._checked[path]
        if error is not None:
            raise error
        return FileInput(path, "str" if wants == "str" else "path")

    def _argument(self, value: Any, base: Path, wants: Wants) -> Argument:
        return Argument.of(self._with_paths(value, base, wants))

    def _with_paths(self, value: Any, base: Path, wants: Wants = "any") -> Any:
        if isinstance(value, list):
            return [self._with_paths(item, base) for item in value]
        if isinstance(value, dict):
            if _PATH in value:
                return self.file(base / _written_path(value), wants)
            return {key: self._with_paths(item, base) for key, item in value.items()}
        return value


def _decoded(raw: bytes) -> Any:
    # Raw JSON has been looked over, but not into every number and escape.
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        text = raw[:40].decode(errors="replace")
        raise InvalidContract(f"not a JSON value ({error}): {text}") from error


def _written_path(value: dict[str, Any]) -> str:
    path = value[_PATH]
    if len(value) != 1 or not isinstance(path, str) or not path:
        raise InvalidContract(
            f'a path is written as {{"$path": "file"}} with nothing beside it, not as {value!r}'
        )
    return path


def _checked(path: Path) -> MissingPath | UnreadableInput | None:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return MissingPath(f"there is no file or folder {path}")
    except (OSError, ValueError) as error:
        return UnreadableInput(f"cannot read {str(path)!r}: {error}")
    if not os.access(path, os.R_OK):
        return UnreadableInput(f"cannot read {path}: permission denied")
    return None
