"""Reading a fleet's documents: a folder, a file, JSON lines, or standard input."""

from __future__ import annotations

import codecs
import io
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import msgspec

from batchwright.contracts import model
from batchwright.contracts.nearest import hint, listing
from batchwright.errors import (
    BrokenDocument,
    DuplicateContract,
    EmptyFleet,
    InvalidContract,
    RequestError,
    SourceNotFound,
    UnreadableSource,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from batchwright.contracts.problems import Problems

STANDARD_INPUT = "-"
_LINES = {".jsonl", ".ndjson"}
_CONTRACT_KEYS = ("identity", "method_binding")


class Document(msgspec.Struct, frozen=True):
    """A contract and where it was read.

    `place` names it for messages (`fleet/a.json`, `fleet.jsonl:12`, `fleet.json[3]`); paths in
    it are relative to `base`; `order` is its place in the fleet.
    """

    contract: model.ContractDocument
    place: str
    base: Path
    order: int


class Reading(msgspec.Struct, frozen=True):
    """The contracts of a fleet in order, and the JSON files that hold none and were left out."""

    documents: tuple[Document, ...]
    left_out: tuple[str, ...] = ()


class _Text(msgspec.Struct, frozen=True):
    """A piece of JSON: `line` is the number of its first line."""

    data: bytes
    place: str
    base: Path
    line: int = 1


def source_folder(source: str | Path) -> Path:
    """The folder that a fleet's settings are looked for from."""
    if str(source) == STANDARD_INPUT:
        return Path.cwd()
    path = Path(source).absolute()
    return path if path.is_dir() else path.parent


def read_fleet(source: str | Path, problems: Problems, *, stdin: BinaryIO | None = None) -> Reading:
    """Read all contracts of `source`; what is wrong with single files goes to `problems`.

    In a folder every `*.json` below it is read, in the order of the paths; names that begin
    with a dot are passed over, and links are followed once. A JSON file in which nothing has
    an `identity` or a `method_binding` is data, not a contract, and left out. Raises
    `SourceNotFound`, `UnreadableSource` or `EmptyFleet` when there is nothing to read.
    """
    in_folder = str(source) != STANDARD_INPUT and Path(source).is_dir()
    reader = _Reader(problems, in_folder=in_folder)
    if str(source) == STANDARD_INPUT:
        reader.read_stream(stdin or sys.stdin.buffer, "<stdin>", Path.cwd(), lines=None)
    else:
        path = Path(source)
        _check_exists(path)
        if in_folder:
            _read_folder(path, reader)
        else:
            reader.read_file(path)
    _refuse_duplicates(reader.documents, problems)
    if not reader.documents and not problems:
        raise EmptyFleet(_nothing_read(source, reader.left_out))
    return Reading(tuple(reader.documents), tuple(reader.left_out))


class _Reader:
    """Collects documents; each piece of text may hold a contract or a list of contracts."""

    def __init__(self, problems: Problems, *, in_folder: bool) -> None:
        self.documents: list[Document] = []
        self.left_out: list[str] = []
        self._in_folder = in_folder
        self._problems = problems
        self._order = 0

    def read_file(self, path: Path) -> None:
        """Read a file; one that cannot be read is a problem like any other."""
        suffix = path.suffix.lower()
        lines = True if suffix in _LINES else False if suffix == ".json" else None
        try:
            with path.open("rb") as stream:
                self.read_stream(stream, str(path), path.parent.absolute(), lines=lines)
        except OSError as error:
            self._wrong(UnreadableSource(f"cannot be read: {error.strerror or error}"), str(path))

    def read_stream(self, stream: BinaryIO, name: str, base: Path, *, lines: bool | None) -> None:
        """Read JSON, or with `lines` one JSON value a line; None: as the text shows."""
        if lines is None:
            data = stream.read()
            stream, lines = io.BytesIO(data), _is_lines(data)
        if not lines:
            self._read_piece(_Text(stream.read().removeprefix(codecs.BOM_UTF8), name, base))
            return
        for number, line in enumerate(stream, start=1):
            data = line.removeprefix(codecs.BOM_UTF8) if number == 1 else line
            if data.strip():
                self._read_piece(_Text(data, f"{name}:{number}", base, number))

    def _read_piece(self, piece: _Text) -> None:
        try:
            self._take(model.decode(piece.data), piece.place, piece.base)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # The exact fault, or a list of contracts: looked into without hurry.
            self._read_other(piece)

    def _read_other(self, piece: _Text) -> None:
        try:
            value = _decoded(piece)
        except BrokenDocument as error:
            self._wrong(error, piece.place)
            return
        entries = value if isinstance(value, list) else [value]
        if self._in_folder and not any(_looks_like_contract(entry) for entry in entries):
            self.left_out.append(piece.place)
            return
        if not isinstance(value, list):
            self._refuse_mismatches(value, piece.place)
            return
        for index, entry in enumerate(value):
            place = f"{piece.place}[{index}]"
            if not self._refuse_mismatches(entry, place):
                self._take(model.decode(msgspec.json.encode(entry)), place, piece.base)

    def _refuse_mismatches(self, value: Any, place: str) -> bool:
        found = model.mismatches(value)
        for path, message in found:
            self._wrong(InvalidContract(f"{path}: {message}"), place)
        return bool(found)

    def _take(self, contract: model.ContractDocument, place: str, base: Path) -> None:
        self.documents.append(Document(contract, place, base, self._order))
        self._order += 1

    def _wrong(self, error: RequestError, place: str) -> None:
        self._problems.add(error, place, order=self._order)
        self._order += 1


def _is_lines(data: bytes) -> bool:
    """Whether text of no telling name is JSON lines: its first line is a whole JSON value."""
    first, _, rest = data.lstrip().partition(b"\n")
    if not rest.strip():
        return False
    try:
        msgspec.json.decode(first)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _looks_like_contract(value: Any) -> bool:
    return isinstance(value, dict) and any(key in value for key in _CONTRACT_KEYS)


def _decoded(piece: _Text) -> Any:
    """Any JSON value. Raises `BrokenDocument` with line and column."""
    try:
        text = piece.data.decode()
        return msgspec.json.decode(piece.data)
    except UnicodeDecodeError as error:
        raise BrokenDocument(
            f"{_position(piece, error.start)}: not UTF-8 text; save the file as UTF-8"
        ) from error
    except RecursionError as error:
        raise BrokenDocument("the JSON is nested too deeply") from error
    except msgspec.DecodeError as error:
        raise BrokenDocument(_fault(piece, text, str(error))) from error


def _fault(piece: _Text, text: str, otherwise: str) -> str:
    """Where text stops being JSON: the slow decoder of the standard library tells it best."""
    import json

    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        line = piece.line + error.lineno - 1
        reason = error.msg[:1].lower() + error.msg[1:]
        return f"line {line}, column {error.colno}: broken JSON: {reason}"
    except (ValueError, RecursionError):
        pass
    # It lets pass a few things that are not JSON: NaN, halves of surrogate pairs.
    return f"broken JSON: {otherwise}"


def _position(piece: _Text, byte: int) -> str:
    before = piece.data[:byte]
    line = piece.line + before.count(b"\n")
    column = len(before.rpartition(b"\n")[2].decode(errors="replace")) + 1
    return f"line {line}, column {column}"


# --- folders -------------------------------------------------------------------------------


def _json_files(folder: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    """Every `*.json` below a folder in the order of the paths; a folder is entered once."""
    status = folder.stat()
    if (status.st_dev, status.st_ino) in seen:
        return
    seen.add((status.st_dev, status.st_ino))
    with os.scandir(folder) as entries:
        named = sorted((e for e in entries if not e.name.startswith(".")), key=lambda e: e.name)
    for entry in named:
        if entry.is_dir():
            yield from _json_files(folder / entry.name, seen)
        elif entry.name.lower().endswith(".json"):
            yield folder / entry.name


def _read_folder(folder: Path, reader: _Reader) -> None:
    try:
        for path in _json_files(folder, set()):
            reader.read_file(path)
    except OSError as error:
        raise UnreadableSource(
            f"the folder {error.filename or folder} cannot be read: {error.strerror or error}"
        ) from error


def _check_exists(path: Path) -> None:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError) as error:
        raise SourceNotFound(_not_found(path)) from error
    except (OSError, ValueError) as error:
        raise UnreadableSource(f"{str(path)!r} cannot be read: {error}") from error


def _not_found(path: Path) -> str:
    """What is missing: the first part of the path that is not there, and what is near it."""
    missing = path.absolute()
    while not missing.parent.is_dir():
        missing = missing.parent
    try:
        siblings = sorted(entry.name for entry in missing.parent.iterdir())
    except OSError:
        siblings = []
    asked = f"there is no fleet {path}"
    if missing != path.absolute():
        asked += f": there is no folder {missing}"
    return asked + hint(missing.name, siblings)


def _nothing_read(source: str | Path, left_out: list[str]) -> str:
    text = f"{source} has no contracts"
    if left_out:
        return (
            f"{text}: no JSON file in it has an 'identity' or a 'method_binding' "
            f"({listing(left_out, 5)})"
        )
    if str(source) != STANDARD_INPUT and Path(source).is_dir():
        return f"{text}: no *.json file is in it or below it"
    return text


def _refuse_duplicates(documents: list[Document], problems: Problems) -> None:
    places: dict[str, str] = {}
    for document in documents:
        first = places.setdefault(document.contract.id, document.place)
        if first is not document.place:
            problems.add(
                DuplicateContract(
                    f"the contract id '{document.contract.id}' is taken by {first}; "
                    "ids must differ within a fleet"
                ),
                document.place,
                order=document.order,
            )
