"""What is not plain data: pickle with buffers apart, for entries whose MAC has been checked.

The C pickler does nearly all. cloudpickle takes what it refuses, and what `__main__` defines:
another process has another `__main__`, so classes and functions of it travel whole, and are
taken from the `__main__` at hand where that defines them too.
"""

from __future__ import annotations

import copyreg
import io
import pickle
import sys
import threading
import types
import weakref
from collections import ChainMap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle

from batchwright.caching import files
from batchwright.errors import NotEncodable

if TYPE_CHECKING:
    from collections.abc import Callable


def pack(value: Any) -> tuple[bytes, list[memoryview]]:
    """A value as a pickle and the buffers beside it; NotEncodable when it cannot be pickled."""
    buffers: list[pickle.PickleBuffer] = []
    head = _by_name(value, buffers)
    if head is None or b"__main__" in head:
        buffers.clear()
        head = _whole(value, buffers)
    try:
        return head, [buffer.raw() for buffer in buffers]
    except BufferError:  # a buffer in neither C nor Fortran order has no flat view
        buffers.clear()
        head = _by_name(value, None) or _whole(value, None)
        return head, []


def unpack(
    head: bytes | bytearray | memoryview, buffers: list[memoryview], restore: Path | None
) -> Any:
    """The value again. Only ever called with bytes whose MAC was checked."""
    outer = getattr(_restoring, "folder", None)
    _restoring.folder = restore
    try:
        return pickle.loads(head, buffers=buffers)  # noqa: S301  # the caller checked the MAC
    finally:
        _restoring.folder = outer


_restoring = threading.local()


def _by_name(value: Any, buffers: list[pickle.PickleBuffer] | None) -> bytes | None:
    file = io.BytesIO()
    collect = None if buffers is None else buffers.append
    pickler = pickle.Pickler(file, protocol=5, buffer_callback=collect)
    pickler.dispatch_table = {**copyreg.dispatch_table, **_OWN_REDUCERS, **_REFUSED}
    try:
        pickler.dump(value)
    except NotEncodable:
        raise
    except RecursionError as error:
        raise NotEncodable(_refusal(value, "it is nested too deeply")) from error
    except Exception:  # a user's __reduce__ may raise anything
        return None
    return file.getvalue()


def _whole(value: Any, buffers: list[pickle.PickleBuffer] | None) -> bytes:
    file = io.BytesIO()
    try:
        _WholePickler(file, None if buffers is None else buffers.append).dump(value)
    except NotEncodable:
        raise
    except Exception as error:
        raise NotEncodable(_refusal(value, str(error))) from error
    return file.getvalue()


def _refusal(value: object, why: str) -> str:
    kind = type(value)
    return (
        f"a value of type {kind.__module__}.{kind.__qualname__} cannot be stored: {why}. "
        "Return plain data made from it instead"
    )


def _main_member(qualname: str) -> Any:
    found: Any = sys.modules.get("__main__")
    for part in qualname.split("."):
        found = getattr(found, part, None)
    return found


def _from_main(qualname: str, whole: bytes) -> Any:
    found = _main_member(qualname)
    if isinstance(found, (type, types.FunctionType)):
        return found
    return pickle.loads(whole)  # noqa: S301  # part of a pickle whose MAC was checked


def _reduce_path(path: Path) -> Any:
    stored = files.take(path)
    if stored is None:
        return files.named, (files.name_bytes(path),)
    description, contents = stored
    return _path_again, (description, contents)


def _path_again(description: bytes, contents: list[bytes]) -> Path:
    views = [memoryview(content) for content in contents]
    return files.give(description, views, getattr(_restoring, "folder", None))


def _refuse(value: Any) -> Any:
    # cloudpickle would store an open file as a copy of its text, a view as bytes; pickle stores a
    # finalizer (of a temporary folder, say) as one that does nothing.
    raise NotEncodable(_refusal(value, "what it stands for lives outside it"))


_OWN_REDUCERS: dict[type, Callable[[Any], Any]] = {type(Path()): _reduce_path}
_REFUSED: dict[type, Callable[[Any], Any]] = dict.fromkeys(
    (
        io.TextIOWrapper,
        io.BufferedReader,
        io.BufferedWriter,
        io.BufferedRandom,
        io.BufferedRWPair,
        io.FileIO,
        memoryview,
        weakref.finalize,
    ),
    _refuse,
)


class _WholePickler(cloudpickle.Pickler):  # type: ignore[misc]
    # On the class, for the pickler below takes note of it before __init__ is through.
    dispatch_table = ChainMap(_OWN_REDUCERS, _REFUSED, cloudpickle.Pickler.dispatch_table)

    def __init__(self, file: io.BytesIO, collect: Callable[[Any], Any] | None) -> None:
        super().__init__(file, protocol=5, buffer_callback=collect)

    def reducer_override(self, obj: Any) -> Any:
        if (
            isinstance(obj, (type, types.FunctionType))
            and obj.__module__ == "__main__"
            and _main_member(obj.__qualname__) is obj
        ):
            return _from_main, (obj.__qualname__, cloudpickle.dumps(obj, protocol=5))
        return super().reducer_override(obj)
