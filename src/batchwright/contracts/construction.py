"""The instances that methods are called on: one for each class, with its arguments bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

from batchwright.contracts.binding import bind
from batchwright.contracts.graph import Instance
from batchwright.contracts.layers import ConstructorArguments
from batchwright.errors import InvalidFactory, RequestError

if TYPE_CHECKING:
    from batchwright.contracts.constants import Constants
    from batchwright.contracts.graph import Target
    from batchwright.contracts.inputs import Inputs
    from batchwright.contracts.registry import Entry, Registry
    from batchwright.contracts.settings import Settings

_FACTORY = "factory"


class Construction:
    """Makes the instance of each class, once.

    Constructor arguments come from the settings' `[instances.Class]`, then from the run's
    inputs; its entry `factory` names a function to call instead of the class.
    """

    def __init__(
        self, settings: Settings, registry: Registry, inputs: Inputs, constants: Constants
    ) -> None:
        self._settings = settings
        self._registry = registry
        self._inputs = inputs
        self._constants = constants
        self._made: dict[str, tuple[Instance | None, tuple[RequestError, ...]]] = {}
        self.parameter_names: set[str] = set()

    def instance(
        self, class_name: str, owner: Target
    ) -> tuple[Instance | None, tuple[RequestError, ...]]:
        """The instance that all steps of a class share, and what is wrong with it."""
        if class_name not in self._made:
            self._made[class_name] = self._new(class_name, owner)
        return self._made[class_name]

    def _new(
        self, class_name: str, owner: Target
    ) -> tuple[Instance | None, tuple[RequestError, ...]]:
        table = f"[instances.{class_name}]"
        written = dict(self._settings.instances.get(class_name, {}))
        try:
            factory = self._factory(written.pop(_FACTORY)) if _FACTORY in written else None
            signature = (factory or self._registry.constructor(class_name)).signature
        except RequestError as error:
            told = f"{self._settings.where}: {table}: {error.message}"
            return None, (type(error)(told),)
        self.parameter_names.update(parameter.name for parameter in signature.parameters)
        own = ConstructorArguments(written, self._constants, self._settings.folder, table)
        bound, errors = bind(signature, own, (self._inputs,))
        told = f"{class_name} cannot be made: "
        cure = f"; see {table} in {self._settings.where}"
        return (
            Instance(owner, bound, factory.target if factory else None),
            tuple(type(error)(f"{told}{error.message}{cure}") for error in errors),
        )

    def _factory(self, name: object) -> Entry:
        if not isinstance(name, str):
            raise InvalidFactory(f"a factory is written 'module:function', not {name!r}")
        return self._registry.factory(name)
