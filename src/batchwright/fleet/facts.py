"""What the key builder needs to know of the code of each step, found once per method."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import msgspec

from batchwright.caching import code as codes
from batchwright.caching.digest import digest
from batchwright.contracts.signature import read_signature
from batchwright.errors import BatchwrightError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from batchwright.caching.code import CodeFacts
    from batchwright.contracts.graph import Instance, Step
    from batchwright.records.model import Watched


class StepFacts(msgspec.Struct, frozen=True):
    """The code behind a step.

    `class_digest` is empty for plain functions. `stores` names an attribute that the method is
    known to change on its instance, or is empty; `why_stores` says how that is known. `said` is
    `stateful` or `stateless` when the user said so, which ends watching.
    `defaults` holds the digests of default values, as far as they have one.
    """

    code: CodeFacts
    constructor: CodeFacts | None = None
    class_digest: str = ""
    stores: str = ""
    why_stores: str = ""
    said: str = ""
    defaults: dict[str, str] = {}
    constructor_defaults: dict[str, str] = {}


class FactBook:
    """Facts by method, computed when first asked for.

    `watched` is what earlier runs and this one have learned by watching, keyed by (digest of
    the class's code, method); `stateful` and `stateless` name classes as the settings do.
    """

    def __init__(
        self,
        watched: Mapping[tuple[str, str], Watched] | None = None,
        *,
        stateful: Collection[str] = (),
        stateless: Collection[str] = (),
    ) -> None:
        self.watched = dict(watched or {})
        self._stateful = frozenset(stateful)
        self._stateless = frozenset(stateless)
        self._code: dict[Any, CodeFacts] = {}
        self._classes: dict[Any, str] = {}
        self._defaults: dict[Any, dict[str, str]] = {}

    def of(self, step: Step) -> StepFacts:
        """The facts of a step's method or function."""
        if step.instance is None:
            assert step.function is not None  # noqa: S101  # a step has one or the other
            function = step.function.load()
            return StepFacts(
                self._described((function, ""), lambda: codes.describe(function)),
                defaults=self._default_digests(function),
            )
        owner = step.instance.owner.load()
        method = step.method
        code = self._described((owner, method), lambda: codes.describe_method(owner, method))
        class_digest = self.class_digest(owner)
        said = self._said(owner, method)
        stores, why = self._stores(said, (class_digest, method), code)
        return StepFacts(
            code,
            constructor=self._constructor(step.instance),
            class_digest=class_digest,
            stores=stores,
            why_stores=why,
            said=said,
            defaults=self._default_digests(getattr(owner, method)),
            constructor_defaults=self._default_digests(_maker(step.instance)),
        )

    def class_digest(self, owner: type) -> str:
        """The digest of a class's whole code, by which watching remembers it."""
        if owner not in self._classes:
            self._classes[owner] = codes.code_digest(owner)
        return self._classes[owner]

    def parts(self) -> dict[str, dict[str, str]]:
        """By code digest, what it covers; for the records, so that changes can be named."""
        return {facts.digest: facts.parts for facts in self._code.values()}

    def _described(self, key: Any, describe: Callable[[], CodeFacts]) -> CodeFacts:
        try:
            known = self._code.get(key)
        except TypeError:  # an unhashable callable
            return describe()
        if known is None:
            known = self._code[key] = describe()
        return known

    def _constructor(self, instance: Instance) -> CodeFacts:
        maker = _maker(instance)
        if instance.factory is not None:
            return self._described((maker, ""), lambda: codes.describe(maker))
        return self._described((maker, "__init__"), lambda: codes.describe_constructor(maker))

    def _said(self, owner: type, method: str) -> str:
        """What the user says of a method's state: the method's mark, the class's, the settings."""
        for marked in (inspect.getattr_static(owner, method, None), owner):
            mark = getattr(marked, "__batchwright_state__", None)
            if mark is not None:
                return str(mark)
        if owner.__name__ in self._stateful:
            return "stateful"
        return "stateless" if owner.__name__ in self._stateless else ""

    def _stores(self, said: str, seen: tuple[str, str], code: CodeFacts) -> tuple[str, str]:
        if said == "stateful":
            return "state", "it is said to be stateful"
        if said == "stateless":
            return "", ""
        watched = self.watched.get(seen)
        if watched is not None and watched.stores:
            return watched.stores, "watching saw it change"
        if code.stores:
            return code.stores[0], "its code stores to it"
        return "", ""

    def _default_digests(self, function: Any) -> dict[str, str]:
        try:
            known = self._defaults.get(function)
        except TypeError:
            return _default_digests(function)
        if known is None:
            known = self._defaults[function] = _default_digests(function)
        return known


def _maker(instance: Instance) -> Any:
    return instance.owner.load() if instance.factory is None else instance.factory.load()


def _default_digests(function: Any) -> dict[str, str]:
    try:
        parameters = read_signature(function).parameters.values()
    except (TypeError, ValueError):  # a callable of C code without a signature has none to drop
        return {}
    found = {}
    for parameter in parameters:
        if parameter.default is not parameter.empty:
            try:
                found[parameter.name] = digest(parameter.default)
            except (BatchwrightError, OSError):
                continue  # such a default never equals a given argument; the code digest covers it
    return found
