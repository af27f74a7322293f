"""The registry: what the class, method and function names in contracts stand for."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from batchwright.contracts.graph import StepOptions, Target
from batchwright.contracts.importing import import_module_of
from batchwright.contracts.nearest import hint, listing
from batchwright.contracts.pending import StepMaker
from batchwright.contracts.signature import Signature, signature_of
from batchwright.contracts.step import StepFunction
from batchwright.errors import (
    AmbiguousClass,
    InvalidFactory,
    RequestError,
    UnknownClass,
    UnknownMethod,
)

if TYPE_CHECKING:
    import types
    from collections.abc import Iterable, Iterator, Mapping

    from batchwright.contracts.settings import Settings


class Entry(msgspec.Struct, frozen=True):
    """What a method's name stands for.

    With `method`, `target` is the class to call it on an object of; without, `target` itself
    is called. `signature` leaves out `self`. `options` are those that `@step` gave a function.
    """

    target: Target
    signature: Signature
    method: str = ""
    options: StepOptions = StepOptions()


class Registry(Protocol):
    """Answers what names stand for. All that it gives, but `Target.loaded`, can be kept."""

    def method(self, class_name: str, method_name: str) -> Entry:
        """A method; without a class name, a plain function.

        Raises `UnknownClass`, `UnknownMethod`, `AmbiguousClass` or `NoSignature`.
        """

    def constructor(self, class_name: str) -> Entry:
        """A class, as called to make an object. Raises as `method` does."""

    def factory(self, name: str) -> Entry:
        """A function named `module:function`. Raises `InvalidFactory` or `NoSignature`."""


class ImportedRegistry:
    """The registry that imports the methods modules of the settings.

    A module gives the classes and functions defined in it, those that its `__all__` lists, and,
    when it is a package, those it imports from its own modules. Names are those they have in
    the module.
    """

    def __init__(self, modules: Iterable[types.ModuleType], settings: Settings) -> None:
        self._settings = settings
        self._modules = tuple(modules)
        self._classes = _named(self._modules, classes=True)
        self._functions = _named(self._modules, classes=False)

    def method(self, class_name: str, method_name: str) -> Entry:
        """A method; without a class name, a plain function."""
        if not class_name:
            return self._function(method_name)
        owner = self._find(class_name, self._classes, UnknownClass, "class")
        found = _member(owner.loaded, method_name)
        reached = getattr(owner.loaded, method_name, None)
        if found is None or not callable(reached) or isinstance(found, type | StepMaker):
            raise UnknownMethod(_no_method(owner.loaded, class_name, method_name, found))
        _refuse_coroutine(reached, f"{class_name}.{method_name}")
        if isinstance(found, staticmethod | classmethod):
            # Called without an object, so none is built for it.
            target = Target(owner.module, f"{owner.qualname}.{method_name}", reached)
            return Entry(target, signature_of(reached))
        # Only what binds itself to an object takes it as its first argument.
        signature = signature_of(reached, bound_self=hasattr(type(found), "__get__"))
        return Entry(owner, signature, method_name)

    def _function(self, name: str) -> Entry:
        target = self._find(name, self._functions, UnknownMethod, "function")
        options = StepOptions()
        if isinstance(target.loaded, StepFunction):
            # Made for the Python road; here it is the function it was made from.
            options = target.loaded._options
            target = Target(target.module, target.qualname, target.loaded.call)
        _refuse_coroutine(target.loaded, name)
        return Entry(target, signature_of(target.loaded), options=options)

    def constructor(self, class_name: str) -> Entry:
        """A class, as called to make an object."""
        owner = self._find(class_name, self._classes, UnknownClass, "class")
        return Entry(owner, signature_of(owner.loaded))

    def factory(self, name: str) -> Entry:
        """A function named `module:function`."""
        module_name, colon, function_name = name.partition(":")
        if not (module_name and colon and function_name):
            raise InvalidFactory(f"a factory is written 'module:function', not '{name}'")
        found: Any = import_module_of(self._settings, module_name)
        for part in function_name.split("."):
            names = [n for n in vars(found) if not n.startswith("_")]
            found = getattr(found, part, None)
            if found is None:
                near = hint(part, names)
                raise InvalidFactory(f"{module_name} has no '{function_name}'{near}")
        if not callable(found):
            raise InvalidFactory(f"the factory {name} is {type(found).__name__}, not a function")
        return Entry(_target(found, module_name, function_name), signature_of(found))

    def _find(
        self,
        name: str,
        named: Mapping[str, list[Target]],
        unknown: type[RequestError],
        noun: str,
    ) -> Target:
        found = named.get(name, [])
        if len(found) > 1:
            places = " and ".join(f"{target.module}.{target.qualname}" for target in found)
            raise AmbiguousClass(
                f"the {noun} name '{name}' stands for {places}; rename one, or leave one of the "
                "modules out of `methods`"
            )
        if found:
            return found[0]
        if not self._modules:
            raise unknown(
                f"there is no {noun} '{name}', as no modules are given: write "
                f'methods = ["your.module"] in {self._settings.where}'
            )
        where = listing(module.__name__ for module in self._modules)
        raise unknown(f"there is no {noun} '{name}' in {where}{hint(name, named)}")


def import_registry(settings: Settings) -> ImportedRegistry:
    """The registry of the settings' methods modules.

    Raises `MethodsImportError` naming the file and line in the user's module at fault.
    """
    modules = [import_module_of(settings, name) for name in settings.methods]
    return ImportedRegistry(modules, settings)


def _member(owner: type, name: str) -> Any:
    """What a class has under a name, not yet bound; what only its metaclass has does not count."""
    return next((vars(base)[name] for base in owner.__mro__ if name in vars(base)), None)


def _refuse_coroutine(function: Any, name: str) -> None:
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise UnknownMethod(
            f"{name} is a coroutine function; methods are called, not awaited: "
            "give it a plain function that calls asyncio.run"
        )


def _no_method(owner: type, class_name: str, method_name: str, found: Any) -> str:
    if isinstance(found, StepMaker):
        return f"{class_name}.{method_name} is marked with @step, which JSON fleets do without"
    if found is not None:
        kind = "a property" if isinstance(found, property) else "not a method"
        return f"{class_name}.{method_name} is {kind} and cannot be called"
    names = [name for name in dir(owner) if not name.startswith("__")]
    return f"{class_name} has no method '{method_name}'{hint(method_name, names)}"


def _named(modules: Iterable[types.ModuleType], *, classes: bool) -> dict[str, list[Target]]:
    """The targets of each name; more than one where modules disagree."""
    named: dict[str, list[Target]] = {}
    for module in modules:
        for name, value in _members(module):
            if isinstance(value, type) is classes:
                targets = named.setdefault(name, [])
                if all(target.loaded is not value for target in targets):
                    targets.append(_target(value, module.__name__, name))
    return named


def _members(module: types.ModuleType) -> Iterator[tuple[str, Any]]:
    listed = set(getattr(module, "__all__", ()))
    own = [module.__name__]
    inside = f"{module.__name__}." if hasattr(module, "__path__") else None
    for name, value in list(vars(module).items()):
        if not callable(value) or (name.startswith("__") and name.endswith("__")):
            continue
        home = getattr(value, "__module__", None)
        home = home if isinstance(home, str) else ""
        if name in listed or home in own or (inside and home.startswith(inside)):
            yield name, value


def _target(value: Any, module: str, name: str) -> Target:
    """Where a thing is defined, or where it was found if it is not to be had from there."""
    home, qualname = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if isinstance(home, str) and isinstance(qualname, str):
        target = Target(home, qualname, value)
        if _reached(target) is value:
            return target
    return Target(module, name, value)


def _reached(target: Target) -> Any:
    try:
        return Target(target.module, target.qualname).load()
    except (ImportError, AttributeError):
        return None
