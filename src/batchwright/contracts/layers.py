"""The layers that belong to one contract or one class: own arguments, settings, fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from msgspec import Raw

    from batchwright.contracts.constants import Constants
    from batchwright.contracts.graph import Argument
    from batchwright.contracts.model import ContractDocument
    from batchwright.contracts.signature import Wants

CONTEXT = "question_context"


class OwnArguments(NamedTuple):
    """The `args` of a method as its contract writes them."""

    written: Mapping[str, Raw]
    constants: Constants
    base: Path
    title: str = "args"

    def names(self) -> Collection[str]:
        """The names there are."""
        return self.written.keys()

    def find(self, name: str, wants: Wants) -> Argument | None:
        """The argument of this name, or None. Raises as `Constants.of_json` does."""
        raw = self.written.get(name)
        return None if raw is None else self.constants.of_json(bytes(raw), self.base, wants)


class ConstructorArguments(NamedTuple):
    """The constructor arguments of a class as the settings write them."""

    written: Mapping[str, Any]
    constants: Constants
    base: Path
    title: str

    def names(self) -> Collection[str]:
        """The names there are."""
        return self.written.keys()

    def find(self, name: str, wants: Wants) -> Argument | None:
        """The argument of this name, or None. Raises as `Constants.of_value` does."""
        if name not in self.written:
            return None
        return self.constants.of_value(self.written[name], self.base, wants)


class ContractFields:
    """A contract's own fields: the scalars of its identity, and the question's context."""

    title = "contract"

    def __init__(self, contract: ContractDocument, constants: Constants) -> None:
        self._scalars = contract.fields
        self._context = bytes(contract.question_context)
        self._constants = constants

    def names(self) -> Collection[str]:
        """The names there are."""
        return [*self._scalars, *([CONTEXT] if self._has_context else [])]

    def find(self, name: str, wants: Wants) -> Argument | None:
        """The argument of this name, or None."""
        if name in self._scalars:
            return self._constants.of_value(self._scalars[name], None)
        if name == CONTEXT and self._has_context:
            return self._constants.of_json(self._context, None)
        return None

    @property
    def _has_context(self) -> bool:
        return self._context != b"null"
