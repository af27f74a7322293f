"""What a callable can be given: its parameters, in a form that can be kept without importing."""

from __future__ import annotations

import ast
import inspect
import sys
import types
import typing
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from batchwright.errors import NoSignature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ParameterKind = Literal["positional", "either", "keyword", "*", "**"]
Wants = Literal["path", "str", "any"]


class Parameter(msgspec.Struct, frozen=True):
    """One parameter: how it can be passed, and whether it asks for a path or for text.

    `kind`: `"positional"` only by position, `"either"`, `"keyword"` only by name, and `"*"`
    and `"**"` for what collects the rest.
    """

    name: str
    kind: ParameterKind = "either"
    required: bool = True
    wants: Wants = "any"


class Signature(msgspec.Struct, frozen=True):
    """The parameters of a callable in their order, `self` and `cls` left out."""

    parameters: tuple[Parameter, ...] = ()


def signature_of(function: Callable[..., Any], bound_self: bool = False) -> Signature:
    """The signature of a function, a method or a class (then that of its constructor).

    `bound_self` says that the first parameter is the object and is not to be given.
    Raises `NoSignature` for callables that do not tell theirs, as some written in C.
    """
    try:
        parameters = list(read_signature(function).parameters.values())
    except (ValueError, TypeError) as error:
        name = getattr(function, "__qualname__", repr(function))
        raise NoSignature(
            f"cannot read the parameters of {name} ({error}); wrap it in a function of your own"
        ) from error
    if bound_self and parameters and parameters[0].kind not in _COLLECTING:
        del parameters[0]
    return Signature(tuple(_parameter(parameter) for parameter in parameters))


def read_signature(function: Callable[..., Any]) -> inspect.Signature:
    """Python's own signature of a callable; ValueError or TypeError where there is none."""
    if sys.version_info >= (3, 14):
        # Annotations are evaluated late there, and may name what only type checkers import.
        from annotationlib import Format

        return inspect.signature(function, annotation_format=Format.FORWARDREF)
    return inspect.signature(function)


def _parameter(parameter: inspect.Parameter) -> Parameter:
    kind = _KINDS[parameter.kind]
    required = parameter.default is inspect.Parameter.empty and parameter.kind not in _COLLECTING
    return Parameter(parameter.name, kind, required, wants(parameter.annotation))


def wants(annotation: Any) -> Wants:
    """Whether an annotation asks for a path or for text; `"any"` when it asks for neither.

    Where it allows both, a path it is.
    """
    names = set(_names(annotation))
    if names & _PATHS:
        return "path"
    return "str" if "str" in names else "any"


def _names(annotation: Any) -> Iterator[str]:
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        # Read, never evaluated: what it names may exist for type checkers only.
        try:
            yield from _written_names(ast.parse(annotation.strip(), mode="eval").body)
        except SyntaxError:
            return
    elif typing.get_origin(annotation) in (typing.Union, types.UnionType, typing.Annotated):
        parts = typing.get_args(annotation)
        if typing.get_origin(annotation) is typing.Annotated:
            parts = parts[:1]
        for part in parts:
            yield from _names(part)
    elif isinstance(annotation, type) and issubclass(annotation, PurePath):
        yield "Path"
    elif typing.get_origin(annotation) is not None:
        yield getattr(typing.get_origin(annotation), "__name__", "")
    else:
        yield getattr(annotation, "__name__", "")


def _written_names(node: ast.expr) -> Iterator[str]:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            yield name
        case ast.Constant(value=str(text)):
            yield from _names(text)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            yield from _written_names(left)
            yield from _written_names(right)
        case ast.Subscript(value=outer, slice=inner):
            yield from _written_parts(next(_written_names(outer), ""), inner)


def _written_parts(outer: str, inner: ast.expr) -> Iterator[str]:
    parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
    if outer == "Annotated":
        parts = parts[:1]
    if outer in {"Optional", "Union", "Annotated"}:
        for part in parts:
            yield from _written_names(part)
    else:
        yield outer


_PATHS = {"Path", "PurePath", "PosixPath", "WindowsPath", "PurePosixPath", "PathLike"}
_COLLECTING = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_KINDS: dict[Any, ParameterKind] = {
    inspect.Parameter.POSITIONAL_ONLY: "positional",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "either",
    inspect.Parameter.KEYWORD_ONLY: "keyword",
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.VAR_KEYWORD: "**",
}
