"""Signatures: which parameters there are, and which of them ask for paths or text."""

# ruff: noqa: UP045  # the older spelling of an optional annotation is read too

import dataclasses
import functools
import os
import typing
from pathlib import Path, PurePath

import msgspec
import pytest

from batchwright.contracts.signature import Parameter, Signature, signature_of, wants
from batchwright.errors import NoSignature


def parameters(function, bound_self=False):
    return {p.name: (p.kind, p.required) for p in signature_of(function, bound_self).parameters}


def test_kinds_and_defaults():
    def f(a, /, b, c=1, *d, e, g=2, **h): ...

    assert parameters(f) == {
        "a": ("positional", True), "b": ("either", True), "c": ("either", False),
        "d": ("*", False), "e": ("keyword", True), "g": ("keyword", False), "h": ("**", False),
    }  # fmt: skip


class Miner:
    def __init__(self, language, *, depth=1): ...
    def own(self, text): ...
    def collecting(*args): ...
    @staticmethod
    def static(text): ...
    @classmethod
    def of_class(cls, text): ...


def test_self_and_cls_are_left_out():
    assert parameters(Miner.own, bound_self=True) == {"text": ("either", True)}
    assert parameters(Miner.static) == {"text": ("either", True)}
    assert parameters(Miner.of_class) == {"text": ("either", True)}
    assert parameters(Miner.collecting, bound_self=True) == {"args": ("*", False)}


def test_constructors():
    @dataclasses.dataclass
    class Data:
        x: int
        y: str = ""
        z: int = dataclasses.field(init=False, default=0)

    class Struct(msgspec.Struct):
        x: int

    assert parameters(Miner) == {"language": ("either", True), "depth": ("keyword", False)}
    assert parameters(Data) == {"x": ("either", True), "y": ("either", False)}
    assert parameters(Struct) == {"x": ("either", True)}
    assert parameters(type("Plain", (), {})) == {}


def test_decorated_functions_and_partials():
    def f(a, b): ...

    @functools.wraps(f)
    def wrapper(*args, **kwargs): ...

    assert parameters(wrapper) == {"a": ("either", True), "b": ("either", True)}
    assert parameters(functools.partial(f, 1)) == {"b": ("either", True)}
    assert parameters(functools.lru_cache(f)) == {"a": ("either", True), "b": ("either", True)}


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (Path, "path"), (PurePath, "path"), (os.PathLike, "path"), (Path | None, "path"),
        (typing.Optional[Path], "path"), (str | Path, "path"), (os.PathLike[str], "path"),
        (typing.Annotated[Path, "x"], "path"), (typing.Annotated[int, Path], "any"),
        (str, "str"), (str | None, "str"), (typing.Optional[str], "str"), (bytes | str, "str"),
        (int, "any"), (list[str], "any"), (list[Path], "any"), (dict[str, Path], "any"),
        (None, "any"), (typing.Any, "any"), (typing.Callable[[str], Path], "any"),
        ("Path", "path"), ("pathlib.Path", "path"), ("Path | None", "path"), ("str", "str"),
        ("Optional[str]", "str"), ("typing.Union[str, int]", "str"), ("list[str]", "any"),
        ("Optional['Path']", "path"), ("Annotated[str, Path]", "str"), ("os.PathLike[str]", "path"),
        ("not a type", "any"), ("", "any"), (typing.ForwardRef("Path"), "path"),
    ],
)  # fmt: skip
def test_what_an_annotation_wants(annotation, expected):
    assert wants(annotation) == expected


def test_written_annotations_are_not_evaluated():
    def f(x: "print('evaluated')", y: "Missing | Path"): ...  # noqa: F821

    assert [p.wants for p in signature_of(f).parameters] == ["any", "path"]


def test_a_callable_without_signature_is_refused_by_name():
    with pytest.raises(NoSignature, match="the parameters of iter"):
        signature_of(iter)


def test_a_signature_survives_json():
    def f(a: Path, /, *b, c: str = "", **d): ...

    signature = signature_of(f)
    assert msgspec.json.decode(msgspec.json.encode(signature), type=Signature) == signature
    assert signature.parameters[0] == Parameter("a", "positional", True, "path")
