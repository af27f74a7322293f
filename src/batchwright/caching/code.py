"""Code digests: what a function, method or class does, as far as its own code decides it.

    code_digest(function) -> str

changes when anything changes that can change what the function computes: its own code, helpers in
any module of one's own, constants, base classes, decorators. Comments, layout, docstrings and
unrelated code change nothing. Installed distributions count by version, Python by X.Y.
"""

from __future__ import annotations

import functools
import secrets
import sys
import types
from typing import TYPE_CHECKING, Any

import msgspec

from batchwright.caching import code_class, code_module, code_owner, code_state, code_value
from batchwright.caching.code_reach import Walk, hashed

if TYPE_CHECKING:
    from collections.abc import Callable

_FORMAT = "1"


class Note(msgspec.Struct, frozen=True, order=True):
    """Something that cannot be followed, and where. `line` is 0 when it is the whole file."""

    file: str
    line: int
    text: str


class CodeFacts(msgspec.Struct, frozen=True):
    """What is known of a piece of code.

    `parts` has a digest for each function, class, constant and class attribute that it covers, by
    `module:qualname`, and the version of each distribution by `dist NAME`: compare two to name
    the cause of a change. `files` are the own source files it depends on. `stores` are the
    attributes of `self` that a method changes. `notes` tell what cannot be followed. `current`
    says that the files are as they were loaded: only then may facts be remembered by their stat.
    """

    digest: str
    parts: dict[str, str]
    files: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    current: bool = True


def code_digest(function: Callable[..., Any]) -> str:
    """The digest of a function, class, method, partial or callable object, in hexadecimal."""
    return describe(function).digest


def describe(function: Callable[..., Any]) -> CodeFacts:
    """All that is known of a callable. A function found in a class counts as its method."""
    if isinstance(function, types.MethodType):
        receiver = function.__self__
        kind = receiver if isinstance(receiver, type) else type(receiver)
        found = code_class.find_member(kind, function.__func__.__name__)
        if found is not None and function.__func__ in (
            found[1],
            getattr(found[1], "__func__", None),
        ):
            return describe_method(kind, function.__func__.__name__)
    if isinstance(function, types.FunctionType):
        owner = code_class.owner_of_function(function)
        if owner is not None:
            return describe_method(owner, function.__name__)
    walk = Walk()
    root = walk.value(function, None)
    if not isinstance(function, types.FunctionType | type | functools.partial | types.MethodType):
        called = code_class.find_member(type(function), "__call__")
        if called is not None and code_value.code(walk, function, None) is None:
            root = f"{root} {walk.value(type(function), None)}{_told_apart(walk, function)}"
    return _facts(walk, f"{_identity(function)} {root}", ())


def describe_method(kind: type, name: str) -> CodeFacts:
    """All that is known of a method of a class: what it reaches itself, not the whole class.

    Raises AttributeError when the class has no member of that name.
    """
    if code_class.find_member(kind, name) is None:
        raise AttributeError(f"{kind.__qualname__} has no method {name!r}")
    walk = Walk()
    token = code_class.member_token(walk, kind, name)
    identity = f"{code_owner.location(kind)}.{name}"
    return _facts(walk, f"method {identity} {token}", code_state.stores_of(kind, name))


def describe_constructor(kind: type) -> CodeFacts:
    """All that is known of how objects of a class are made."""
    walk = Walk()
    return _facts(walk, " ".join(code_class.constructor_tokens(walk, kind)), ())


def _facts(walk: Walk, root: str, stores: tuple[str, ...]) -> CodeFacts:
    parts = walk.finish()
    listed = sorted(parts.items())
    version = code_owner.version_of_python()
    return CodeFacts(
        digest=hashed(f"{_FORMAT} {version} {root} {listed!r}"),
        parts=dict(listed),
        files=tuple(sorted(walk.files)),
        stores=stores,
        notes=tuple(Note(*note) for note in sorted(walk.notes)),
        current=walk.is_current(),
    )


def _told_apart(walk: Walk, function: Any) -> str:
    """What tells a callable object of somebody else's class from others of its class.

    An object with nothing to tell it by, such as what `numpy.frompyfunc` makes, is like no other,
    not even itself in another process: a stand-in would serve one function's results as another's.
    """
    kind = type(function)
    if code_owner.owner_of_class(kind) == code_owner.OWN:
        return ""
    named = getattr(function, "__name__", None)
    package = sys.modules.get(kind.__module__.partition(".")[0])
    if isinstance(named, str) and getattr(package, named, None) is function:
        return f" named {named}"
    held = code_module.by_value(walk, dict(getattr(function, "__dict__", None) or {}))
    if held is not None and held != "dict([])":
        return f" holding {held}"
    walk.note("", 0, f"{function!r} cannot be told from others of its kind; it is never known")
    return f" {_unlike_others(function)}"


_unlike: dict[int, tuple[Any, str]] = {}


def _unlike_others(function: Any) -> str:
    if id(function) not in _unlike:
        _unlike[id(function)] = (function, secrets.token_hex(16))
    return _unlike[id(function)][1]


def _identity(function: Any) -> str:
    if isinstance(function, functools.partial):
        return f"partial {_identity(function.func)}"
    if hasattr(function, "__qualname__"):
        return code_owner.location(function)
    return f"object {code_owner.location(type(function))}"
