"""A contract's document, as far as it is used: the fields, their types and their defaults.

Real documents hold much more; unknown fields are passed over. A null stands for "not given".
Arguments and the question's context stay raw JSON here: equal bytes are then one value for the
whole fleet, and what no method asks for is never built.
"""

from __future__ import annotations

import re
import types
import typing
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import Meta, Raw

if TYPE_CHECKING:
    from collections.abc import Iterator

_Name = Annotated[str, Meta(min_length=1)]
_Share = Annotated[float, Meta(ge=0, le=1)]


class VetoDocument(msgspec.Struct, frozen=True):
    """One entry of `veto_conditions`."""

    trigger: str
    action: str
    scope: str | None = None
    confidence_multiplier: _Share | None = None
    rationale: str | None = None


class MethodDocument(msgspec.Struct, frozen=True):
    """One call. Without `class_name`, `method_name` is a plain function."""

    method_name: _Name
    class_name: str | None = None
    level: str | None = None
    provides: str | None = None
    requires: tuple[str, ...] | None = None
    confidence_score: _Share | None = None
    args: dict[str, Raw] | None = None
    cache: bool | None = None
    veto_conditions: dict[str, VetoDocument] | None = None


class PhaseDocument(msgspec.Struct, frozen=True):
    """Methods of one level, whose results stand under `output_target`."""

    methods: tuple[MethodDocument, ...] | None = None
    level: str | None = None
    dependencies: tuple[str, ...] | None = None
    output_target: str | None = None


class BindingDocument(msgspec.Struct, frozen=True):
    """The phases by name, in written order."""

    execution_phases: dict[str, PhaseDocument]


class ErrorHandling(msgspec.Struct, frozen=True):
    """What a failing method does to its contract."""

    on_method_failure: Literal["continue", "raise"] | None = None


class Identity(msgspec.Struct, frozen=True):
    """The part of `identity` that must be there; its other scalars are bound by name."""

    contract_id: _Name
    contract_type: _Name | None = None


class ContractDocument(msgspec.Struct, frozen=True):
    """One contract. `identity` is checked against `Identity` by `decode`."""

    identity: dict[str, Any]
    method_binding: BindingDocument
    question_context: Raw = Raw(b"null")
    depends_on: tuple[str, ...] | None = None
    error_handling: ErrorHandling | None = None

    @property
    def id(self) -> str:
        """The contract's id."""
        return str(self.identity["contract_id"])

    @property
    def type(self) -> str:
        """The contract's type, `TYPE_A` when not given."""
        return self.identity.get("contract_type") or "TYPE_A"

    @property
    def fields(self) -> dict[str, Any]:
        """The scalars of `identity`, by name."""
        scalars = {
            name: value
            for name, value in self.identity.items()
            if value is None or isinstance(value, str | int | float)
        }
        return scalars | {"contract_type": self.type}

    @property
    def phases(self) -> dict[str, PhaseDocument]:
        """The phases by name, in written order."""
        return self.method_binding.execution_phases


class Mismatch(typing.NamedTuple):
    """A value of a wrong type: its JSON path, and what is wrong there."""

    path: str
    message: str


_contract_decoder = msgspec.json.Decoder(ContractDocument)


def decode(data: bytes) -> ContractDocument:
    """The contract that JSON text holds.

    Raises `UnicodeDecodeError` for what is not UTF-8, `msgspec.DecodeError` for what is not JSON
    and `msgspec.ValidationError` for what is not a contract; `mismatches` then tells all that is
    wrong, and where.
    """
    data.decode()  # the decoder looks at the texts it keeps only
    document = _contract_decoder.decode(data)
    msgspec.convert(document.identity, Identity)
    if not bytes(document.question_context).startswith((b"{", b"null")):
        raise msgspec.ValidationError("Expected `object` - at `$.question_context`")
    return document


def mismatches(document: Any) -> tuple[Mismatch, ...]:
    """All that keeps a decoded JSON value from being a contract, with the exact JSON paths."""
    found = list(_mismatches(document, ContractDocument, "$"))
    if isinstance(document, dict):
        if isinstance(document.get("identity"), dict):
            found = [*_mismatches(document["identity"], Identity, "$.identity"), *found]
        context = document.get("question_context")
        if context is not None and not isinstance(context, dict):
            message = f"expected an object, got {json_type(context)}"
            found.append(Mismatch("$.question_context", message))
    return tuple(found)


def _mismatches(value: Any, expected: Any, path: str) -> Iterator[Mismatch]:
    # msgspec stops at the first error and writes `[...]` for a key of an object; so the
    # containers are walked here, and msgspec judges the leaves.
    expected, optional = _without_none(expected)
    if (value is None and optional) or expected is Raw:
        return
    origin = typing.get_origin(expected)
    if isinstance(expected, type) and issubclass(expected, msgspec.Struct):
        yield from _struct_mismatches(value, expected, path)
    elif origin is dict and isinstance(value, dict):
        for key, item in value.items():
            yield from _mismatches(item, typing.get_args(expected)[1], f"{path}.{key}")
    elif origin is tuple and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _mismatches(item, typing.get_args(expected)[0], f"{path}[{index}]")
    else:
        if typing.get_origin(expected) is Literal and value not in typing.get_args(expected):
            names = " or ".join(map(repr, typing.get_args(expected)))
            yield Mismatch(path, f"expected {names}, got {value!r}")
            return
        try:
            msgspec.convert(value, expected)
        except msgspec.ValidationError as error:
            yield Mismatch(path, _in_words_of_json(str(error)))


def _in_words_of_json(text: str) -> str:
    """`Expected `str`, got `int`` becomes `expected a string, got a number`."""
    words = re.sub(r"`(\w+)[^`]*`", lambda found: _WORDS.get(found[1], found[1]), text)
    return words[:1].lower() + words[1:]


def _struct_mismatches(value: Any, expected: Any, path: str) -> Iterator[Mismatch]:
    if not isinstance(value, dict):
        yield Mismatch(path, f"expected an object, got {json_type(value)}")
        return
    hints = typing.get_type_hints(expected, include_extras=True)
    for field in msgspec.structs.fields(expected):
        if field.name in value:
            yield from _mismatches(value[field.name], hints[field.name], f"{path}.{field.name}")
        elif field.required:
            yield Mismatch(path, f"the field '{field.name}' is missing")


def _without_none(expected: Any) -> tuple[Any, bool]:
    if typing.get_origin(expected) not in (typing.Union, types.UnionType):
        return expected, False
    others = [part for part in typing.get_args(expected) if part is not type(None)]
    return others[0], len(others) < len(typing.get_args(expected))


def json_type(value: Any) -> str:
    """What JSON calls a decoded value, for messages."""
    return _WORDS.get("null" if value is None else type(value).__name__, type(value).__name__)


_WORDS = {
    "dict": "an object", "object": "an object", "list": "an array", "array": "an array",
    "str": "a string", "null": "null", "bool": "a boolean", "int": "a number", "float": "a number",
}  # fmt: skip
