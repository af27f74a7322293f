"""Content digests: one for each value, the same in every process, and never one for two values.

`digest(value)` is the SHA-256, in hex, of the value's canonical encoding (`digest_encoding`).

What counts:

- the exact type, at every depth: `1`, `True`, `1.0`, `"1"`, `(1,)`, `[1]`, `0.0` and `-0.0` differ;
  every NaN equals every other; the order of a dict or set does not count, that of an OrderedDict
  does; whether a part is shared does not count;
- of arrays and frames: contents, dtype, shape, labels; not memory or byte order, strides, chunks;
- of an instance: its class, with the class's code, and its contents: for enums, dataclasses, attrs
  and pydantic classes, msgspec structs, named tuples, exceptions, and what derives from a builtin;
- of a function, method or class: its code, as `code_digest` says;
- of a `pathlib.Path`: name and contents of the file or folder; of a pure path, its text;
- of an unfitted scikit-learn estimator: class and parameters.

All else is refused with `UncacheableArgument`, which names the way to the culprit: plain instances,
modules, iterators, generators, locks, files, connections, fitted estimators, values that contain
themselves. A class joins by `__batchwright_digest__(self)`, or by `digest.register(type,
function)`; either gives any digestable value that stands for the instance, and the class counts
with it.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from batchwright.caching import digest_objects, digest_paths, digest_standard
from batchwright.caching.digest_classes import class_node, fixed_code
from batchwright.caching.digest_encoding import BUILTIN, FORMAT, Handler, Node, encode, type_name
from batchwright.errors import UncacheableArgument

if TYPE_CHECKING:
    import os
    from collections.abc import Callable


__all__ = ["KnownDigest", "digest", "fixed_code", "path_digest"]


class KnownDigest(msgspec.Struct, frozen=True):
    """Stands, inside a container, for a value whose digest is known already."""

    hex: str


def path_digest(path: str | os.PathLike[str]) -> str:
    """The digest of a file's or folder's name and contents: `digest(Path(path))`.

    Raises MissingPath when there is none, UnreadableInput when it cannot be read, and
    UncacheableArgument for sockets and the like.
    """
    return digest(Path(path))


# --- Who takes what apart -----------------------------------------------------------------------

# Types of these packages are taken apart by a module of their own, loaded when one is met.
_LIBRARIES = {
    "numpy": "digest_arrays",
    "scipy": "digest_arrays",
    "pandas": "digest_pandas",
    "polars": "digest_polars",
    "pyarrow": "digest_arrow",
    "sklearn": "digest_estimators",
}

_KNOWN: dict[type, Handler] = {
    **digest_standard.HANDLERS,
    **digest_paths.HANDLERS,
    KnownDigest: lambda value: Node("known", (value.hex,)),
}


class _Digest:
    """The digest of a value's contents, in lower-case hex; the same in every process.

    `name` is what an error calls the value. Raises UncacheableArgument, naming the way to the part
    that has no stable content; MissingPath or UnreadableInput for a path that leads nowhere.
    """

    def __init__(self) -> None:
        self._registered: dict[type, Handler] = {}

    def __call__(self, value: Any, /, *, name: str = "value") -> str:
        hashed = sha256(FORMAT)
        hashed.update(encode(value, self._find, name))
        return hashed.hexdigest()

    def register(self, kind: type, function: Callable[[Any], Any], /) -> None:
        """Let instances of exactly this class count by what `function` gives for them.

        That may be any digestable value. Subclasses are not covered: they may hold more.
        Raises TypeError for builtin types, whose contents are known.
        """
        if not isinstance(kind, type):
            raise TypeError(f"digest.register wants a class first, not {kind!r}")
        if kind in BUILTIN:
            raise TypeError(f"{kind.__name__} counts by its contents; register a class of your own")
        self._registered[kind] = lambda value: Node("registered", (kind, function(value)))

    def _find(self, kind: type) -> Handler:
        return self._registered.get(kind) or _KNOWN.get(kind) or _find(kind)


digest = _Digest()


@lru_cache(maxsize=4096)  # bounded, for it keeps classes alive; a refusal is not remembered
def _find(kind: type) -> Handler:
    if issubclass(kind, type):
        return class_node
    if hasattr(kind, "__batchwright_digest__"):
        return _hooked
    found = digest_standard.find(kind) or _find_in_library(kind) or digest_objects.find(kind)
    if found is None:
        raise UncacheableArgument(
            f"{type_name(kind)} has no stable content; give the class a __batchwright_digest__ "
            f"method, or tell what it stands for with digest.register"
        )
    return found


def _find_in_library(kind: type) -> Handler | None:
    for cls in kind.__mro__:
        module = _LIBRARIES.get(cls.__module__.partition(".")[0])
        if module is not None:
            found: Handler | None = import_module(f"batchwright.caching.{module}").find(kind)
            return found
    return None


def _hooked(value: Any) -> Node:
    return Node("hooked", (type(value), value.__batchwright_digest__()))
