"""Binding: which value each parameter of a method gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from batchwright.contracts.graph import Argument, Bound
from batchwright.contracts.nearest import hint, listing
from batchwright.errors import MissingArgument, RequestError, UnknownArgument

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from batchwright.contracts.graph import Kind
    from batchwright.contracts.signature import Parameter, Signature, Wants


class Layer(Protocol):
    """One place to look names up in."""

    @property
    def title(self) -> str:
        """What the names of this layer are, for messages."""

    def names(self) -> Collection[str]:
        """The names there are."""

    def find(self, name: str, wants: Wants) -> Argument | None:
        """The argument of this name, or None. May raise a `RequestError`."""


class Named(NamedTuple):
    """A layer whose arguments are at hand."""

    title: str
    arguments: Mapping[str, Argument]

    def names(self) -> Collection[str]:
        """The names there are."""
        return self.arguments.keys()

    def find(self, name: str, wants: Wants) -> Argument | None:
        """The argument of this name, or None."""
        return self.arguments.get(name)


class Binding(NamedTuple):
    """The arguments of one call in the order of its parameters, and what is wrong with it."""

    arguments: tuple[Bound, ...]
    errors: tuple[RequestError, ...]


def bind(
    signature: Signature,
    own: Layer,
    others: Sequence[Layer],
    later: Mapping[str, str] | None = None,
) -> Binding:
    """Give each parameter the first value found under its name: in `own`, then in `others`.

    Only what the signature names is bound. `**` collects the own arguments that no parameter
    names, and `*` is filled only by an own argument of its name, a list. `later` says of names
    that are not to be had here why they are not.
    """
    errors: list[RequestError] = []
    found: dict[str, Argument] = {}
    for parameter in signature.parameters:
        if parameter.kind == "**":
            continue
        # What is collected is asked for by the caller's own arguments alone.
        layers = (own,) if parameter.kind == "*" else (own, *others)
        try:
            argument = _first(layers, parameter)
        except RequestError as error:
            errors.append(type(error)(f"argument '{parameter.name}': {error.message}"))
            continue
        if argument is not None:
            found[parameter.name] = argument
        elif parameter.required:
            errors.append(_missing(parameter, (own, *others), later or {}))
    rest = _rest(signature, own, errors)
    arguments = _passed(signature, found, rest, errors)
    return Binding(arguments, tuple(errors))


def _first(layers: Sequence[Layer], parameter: Parameter) -> Argument | None:
    for layer in layers:
        argument = layer.find(parameter.name, parameter.wants)
        if argument is not None:
            return argument
    return None


def _missing(
    parameter: Parameter, layers: Sequence[Layer], later: Mapping[str, str]
) -> MissingArgument:
    if parameter.name in later:
        return MissingArgument(
            f"nothing gives the argument '{parameter.name}' yet: {later[parameter.name]}"
        )
    known = [name for layer in layers for name in layer.names()]
    available = "; ".join(
        f"{layer.title}: {listing(sorted(layer.names()))}" for layer in layers if layer.names()
    )
    return MissingArgument(
        f"nothing gives the argument '{parameter.name}'{hint(parameter.name, known)} "
        f"(there are {available or 'no names at all'})"
    )


def _rest(signature: Signature, own: Layer, errors: list[RequestError]) -> dict[str, Argument]:
    """The own arguments that no parameter names, for `**`; errors where there is no `**`."""
    names = [p.name for p in signature.parameters if p.kind != "**"]
    left = [name for name in sorted(own.names()) if name not in names]
    if not any(parameter.kind == "**" for parameter in signature.parameters):
        errors += [
            UnknownArgument(
                f"it takes no argument '{name}'{hint(name, names)} (it takes {listing(names)})"
            )
            for name in left
        ]
        return {}
    rest: dict[str, Argument] = {}
    for name in left:
        try:
            argument = own.find(name, "any")
        except RequestError as error:
            errors.append(type(error)(f"argument '{name}': {error.message}"))
        else:
            assert argument is not None  # noqa: S101  # it is one of the layer's own names
            rest[name] = argument
    return rest


def _passed(
    signature: Signature,
    found: dict[str, Argument],
    rest: dict[str, Argument],
    errors: list[RequestError],
) -> tuple[Bound, ...]:
    """The arguments as they are to be passed: by position where only that is possible."""
    bound: list[Bound] = []
    spread = any(p.kind == "*" and p.name in found for p in signature.parameters)
    by_position = ("positional", "either") if spread else ("positional",)
    left_out = ""
    for parameter in signature.parameters:
        kind: Kind = "positional" if parameter.kind in by_position else "keyword"
        if parameter.kind == "**":
            if rest:
                bound.append(Bound(parameter.name, _collected_dict(rest), "**"))
        elif parameter.name not in found:
            left_out = parameter.name if kind == "positional" and not left_out else left_out
        elif parameter.kind != "*" and kind == "keyword":
            bound.append(Bound(parameter.name, found[parameter.name], kind))
        elif left_out:
            errors.append(
                MissingArgument(
                    f"'{parameter.name}' can only be passed by position after '{left_out}', "
                    f"which nothing gives; give '{left_out}' as well"
                )
            )
        elif parameter.kind == "*":
            bound += _collected_tuple(parameter, found[parameter.name], errors)
        else:
            bound.append(Bound(parameter.name, found[parameter.name], kind))
    return tuple(bound)


def _collected_dict(rest: dict[str, Argument]) -> Argument:
    return Argument.of({name: argument.template for name, argument in sorted(rest.items())})


def _collected_tuple(
    parameter: Parameter, argument: Argument, errors: list[RequestError]
) -> list[Bound]:
    if not isinstance(argument.template, list):
        errors.append(
            UnknownArgument(
                f"'{parameter.name}' collects positional arguments and is given as a list, "
                f"not as {argument.template!r}"
            )
        )
        return []
    return [Bound(parameter.name, Argument.of(tuple(argument.template)), "*")]
