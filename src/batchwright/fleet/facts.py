"""What the key builder needs to know of the code of each step, found once per method."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import msgspec

from batchwright.caching import code as codes
from batchwright.caching.code import CodeFacts  # noqa: TC001  # msgspec reads it to decode
from batchwright.caching.digest import digest
from batchwright.contracts.graph import leaves
from batchwright.contracts.marks import MARK
from batchwright.contracts.signature import read_signature
from batchwright.errors import BatchwrightError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from batchwright.contracts.graph import Step
    from batchwright.records.model import Watched


class MethodFacts(msgspec.Struct, frozen=True):
    """The code behind a method or function, and behind the making of its object.

    `class_digest` covers the whole class; it is empty for plain functions. `mark` is what
    `@stateful` or `@stateless` say. The defaults are digests of default values, as far as they
    have one. All of it can be kept and used without importing the code.
    """

    code: CodeFacts
    constructor: CodeFacts | None = None
    class_digest: str = ""
    class_files: tuple[str, ...] = ()
    mark: str = ""
    defaults: dict[str, str] = {}
    constructor_defaults: dict[str, str] = {}

    @property
    def described(self) -> tuple[CodeFacts, ...]:
        """Both code facts, as far as there are two."""
        return (self.code,) if self.constructor is None else (self.code, self.constructor)


class StepFacts(msgspec.Struct, frozen=True):
    """A method's facts with what is known of its state.

    `stores` names an attribute that the method is known to change on its instance, or is empty;
    `why_stores` says how that is known. `said` is `stateful` or `stateless` when the user said
    so, which ends watching.
    """

    method: MethodFacts
    stores: str = ""
    why_stores: str = ""
    said: str = ""

    @property
    def code(self) -> CodeFacts:
        """The code facts of the method or function itself."""
        return self.method.code

    @property
    def constructor(self) -> CodeFacts | None:
        """The code facts of the making of its object; None for a plain function."""
        return self.method.constructor

    @property
    def class_digest(self) -> str:
        """The digest of the whole class, by which watching remembers it."""
        return self.method.class_digest


class FactBook:
    """Facts by method, computed when first asked for.

    `watched` is what earlier runs and this one have learned by watching, keyed by (digest of
    the class's code, method); `stateful` and `stateless` name classes as the settings do.
    `remembered` are facts by `name_of(step)` that still hold, used without loading the code.
    """

    def __init__(
        self,
        watched: Mapping[tuple[str, str], Watched] | None = None,
        *,
        stateful: Collection[str] = (),
        stateless: Collection[str] = (),
        remembered: Mapping[str, MethodFacts] | None = None,
    ) -> None:
        self.watched = dict(watched or {})
        self._stateful = frozenset(stateful)
        self._stateless = frozenset(stateless)
        self._remembered = dict(remembered or {})
        self._by_code: dict[Any, MethodFacts] = {}
        self._described: dict[Any, CodeFacts] = {}
        self.methods: dict[str, MethodFacts] = {}

    def of(self, step: Step) -> StepFacts:
        """The facts of a step's method or function."""
        method = self._method(step)
        if step.instance is None:
            return StepFacts(method)
        owner = step.instance.owner.qualname.rpartition(".")[2]
        said = method.mark
        if not said and owner in self._stateful:
            said = "stateful"
        if not said and owner in self._stateless:
            said = "stateless"
        stores, why = self._stores(said, (method.class_digest, step.method), method.code)
        return StepFacts(method, stores, why, said)

    def parts(self) -> dict[str, dict[str, str]]:
        """By code digest, what it covers; for the records, so that changes can be named."""
        return {
            facts.digest: facts.parts
            for method in (*self.methods.values(), *self._by_code.values())
            for facts in method.described
        }

    def _method(self, step: Step) -> MethodFacts:
        name = name_of(step)
        found = self._remembered.get(name)
        if found is None:
            found = self._read(step)
        self.methods[name] = found
        return found

    def _read(self, step: Step) -> MethodFacts:
        instance = step.instance
        if instance is None:
            assert step.function is not None  # noqa: S101  # a step has one or the other
            key: Any = (step.function.load(), "", None)
        else:
            factory = None if instance.factory is None else instance.factory.load()
            key = (instance.owner.load(), step.method, factory)
        try:
            found = self._by_code.get(key)
        except TypeError:  # an unhashable callable
            return self._facts(*key)
        if found is None:
            found = self._by_code[key] = self._facts(*key)
        return found

    def _facts(self, owner: Any, method: str, factory: Any) -> MethodFacts:
        if not method:
            return MethodFacts(codes.describe(owner), defaults=_default_digests(owner))
        whole = self._once((owner, "class"), codes.describe, owner)
        maker = owner if factory is None else factory
        describe = codes.describe_constructor if factory is None else codes.describe
        return MethodFacts(
            codes.describe_method(owner, method),
            constructor=self._once((maker, "constructor"), describe, maker),
            class_digest=whole.digest,
            class_files=whole.files,
            mark=_mark(owner, method),
            defaults=_default_digests(getattr(owner, method)),
            constructor_defaults=_default_digests(maker),
        )

    def _once(self, key: Any, describe: Any, code: Any) -> CodeFacts:
        found = self._described.get(key)
        if found is None:
            found = self._described[key] = describe(code)
        return found

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


def name_of(step: Step) -> str:
    """What a step's code goes by: where its method, class and factory are defined."""
    if step.instance is None:
        assert step.function is not None  # noqa: S101  # a step has one or the other
        return f"{step.function.module}:{step.function.qualname}"
    owner, factory = step.instance.owner, step.instance.factory
    made = "" if factory is None else f" by {factory.module}:{factory.qualname}"
    return f"{owner.module}:{owner.qualname}.{step.method}{made}"


def _mark(owner: type, method: str) -> str:
    """What a method's mark says of its state, else its class's."""
    for marked in (inspect.getattr_static(owner, method, None), owner):
        mark = getattr(marked, MARK, None)
        if mark is not None:
            return str(mark)
    return ""


def _default_digests(function: Any) -> dict[str, str]:
    try:
        parameters = read_signature(function).parameters.values()
    except (TypeError, ValueError):  # a callable of C code without a signature has none to drop
        return {}
    found = {}
    for parameter in parameters:
        if parameter.default is not parameter.empty:
            try:
                told = digest(parameter.default)
                # A path counts by contents, which the code does not tell: it is never left out.
                if not any(leaves(parameter.default)):
                    found[parameter.name] = told
            except (BatchwrightError, OSError):
                continue  # such a default never equals a given argument; the code digest covers it
    return found
