"""The step graph: what both roads in end in, and all that later stages read.

A step's arguments are plain values in which results of other steps stand as `Reference` or
`Outputs` leaves. Steps are numbered so that a step comes after every step it reads.
"""

from __future__ import annotations

import copy
import dataclasses
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from batchwright.contracts.veto import Veto


class Target(msgspec.Struct, frozen=True):
    """A function or class by where it is defined; `loaded` is the object once it is at hand.

    Two targets are equal when they name the same place and, where loaded, are the same object.
    """

    module: str
    qualname: str
    loaded: Any = None

    def load(self) -> Any:
        """The object itself, importing its module when it is not at hand yet."""
        if self.loaded is not None:
            return self.loaded
        from batchwright.contracts.step import StepFunction

        found: Any = import_module(self.module)
        for part in self.qualname.split("."):
            found = getattr(found, part)
        # A function that is decorated with `@step` goes by its name; what runs is what it wraps.
        return found.call if isinstance(found, StepFunction) else found


class Reference(msgspec.Struct, frozen=True):
    """The result of step number `step`, or the part of it that `items` select one by one."""

    step: int
    items: tuple[Any, ...] = ()


class Outputs(msgspec.Struct, frozen=True):
    """A finished phase as a mapping from `provides` name to result, sorted by name.

    A failed step stands in it as `_error_<name>`, a mapping of `type` and `message`.
    """

    entries: tuple[tuple[str, int], ...]


class FileInput(msgspec.Struct, frozen=True):
    """A file or folder, counted by contents, handed over as a `Path` or as a `str`."""

    path: Path
    wants: Literal["path", "str"] = "path"


class Argument(msgspec.Struct, frozen=True, eq=False):
    """One argument: `template` is a value with leaves to fill; `steps` are the steps it reads.

    `files` says whether the template holds paths, whose contents can change while a step runs.
    Arguments are shared between steps and compared by identity, so that work on one is done once.
    """

    template: Any
    steps: tuple[int, ...] = ()
    files: bool = False

    @classmethod
    def of(cls, template: Any) -> Argument:
        """The argument for a template, with the steps and paths in it found."""
        steps: dict[int, None] = {}
        files = False
        for leaf in leaves(template):
            match leaf:
                case Reference(step=step):
                    steps[step] = None
                case Outputs(entries=entries):
                    steps.update(dict.fromkeys(step for _, step in entries))
                case _:
                    files = True
        return cls(template, tuple(steps), files)


Kind = Literal["positional", "keyword", "*", "**"]


class Bound(msgspec.Struct, frozen=True, eq=False):
    """An argument under its parameter's name; `kind` says how it is passed.

    `"*"` holds a tuple for `*args`, `"**"` a dict for `**kwargs`.
    """

    name: str
    argument: Argument
    kind: Kind = "keyword"


class Instance(msgspec.Struct, frozen=True, eq=False):
    """An object to call methods on: its class, and how it is made.

    With a `factory`, that is called instead of the class, with the same arguments.
    """

    owner: Target
    arguments: tuple[Bound, ...] = ()
    factory: Target | None = None


class StepOptions(msgspec.Struct, frozen=True):
    """What a user may say of a step. `ttl` is in seconds, counted from the computation."""

    cache: bool = True
    version: str | None = None
    ttl: float | None = None
    sample: Any = None
    repeats: bool = True
    retry: int | None = None


class Address(msgspec.Struct, frozen=True, order=True):
    """Where a step stands: contract / phase / provides. It survives edits."""

    contract: str
    phase: str
    provides: str

    def __str__(self) -> str:
        return "/".join(part for part in (self.contract, self.phase, self.provides) if part)


class Step(msgspec.Struct, frozen=True, eq=False):
    """One call with its arguments.

    Either `function` is set, or `instance` and `method` are.
    `confidence` and `vetoes` matter only to the contract's result, never to a key.
    """

    id: int
    address: Address
    arguments: tuple[Bound, ...] = ()
    function: Target | None = None
    instance: Instance | None = None
    method: str = ""
    level: str = ""
    options: StepOptions = StepOptions()
    confidence: float = 0.5
    vetoes: tuple[Veto, ...] = ()

    @property
    def label(self) -> str:
        """`Class.method`, or the function's name, as shown to the user."""
        if self.instance is not None:
            return f"{self.instance.owner.qualname}.{self.method}"
        assert self.function is not None  # noqa: S101  # a step has one or the other
        return self.function.qualname

    @property
    def reads(self) -> tuple[int, ...]:
        """The steps whose results this one needs, constructor arguments included."""
        found: dict[int, None] = {}
        for bound in self.bound_arguments():
            found.update(dict.fromkeys(bound.argument.steps))
        return tuple(found)

    def bound_arguments(self) -> Iterator[Bound]:
        """The call's own arguments, then those of its instance."""
        yield from self.arguments
        if self.instance is not None:
            yield from self.instance.arguments


class Phase(msgspec.Struct, frozen=True, eq=False):
    """Steps of one level, in written order; their results stand under `target`."""

    name: str
    level: str
    target: str
    steps: tuple[int, ...]


OnFailure = Literal["continue", "raise"]


class ContractNode(msgspec.Struct, frozen=True, eq=False):
    """One contract in the graph.

    The JSON road fills `phases`; the Python road fills `outputs`, whose name is None when the
    contract has a single unnamed one. `steps` are all its steps in written order.
    """

    id: str
    steps: tuple[int, ...]
    phases: tuple[Phase, ...] = ()
    outputs: tuple[tuple[str | None, Argument], ...] = ()
    type: str = "TYPE_A"
    depends_on: tuple[str, ...] = ()
    on_failure: OnFailure = "continue"
    source: str = ""


class StepGraph(msgspec.Struct, frozen=True, eq=False):
    """A whole fleet: `steps[i].id == i`, and each step reads only earlier ones.

    Contracts stand in an order in which each comes after those it depends on.
    """

    steps: tuple[Step, ...]
    contracts: tuple[ContractNode, ...]
    warnings: tuple[str, ...] = ()


def substitute(template: Any, leaf: Callable[[Any], Any]) -> Any:
    """A copy of `template` with each `Reference`, `Outputs` and `FileInput` put through `leaf`.

    Looks inside lists, tuples, named tuples, sets, dicts and dataclasses, and copies only
    those; every other value is handed on as it is.
    """
    kind = type(template)
    if kind in _LEAVES:
        return leaf(template)
    if kind in (list, tuple, set, frozenset):
        return kind(substitute(item, leaf) for item in template)
    if kind is dict:
        return {substitute(k, leaf): substitute(v, leaf) for k, v in template.items()}
    if isinstance(template, tuple) and hasattr(template, "_fields"):
        return kind(*(substitute(item, leaf) for item in template))
    if dataclasses.is_dataclass(template) and not isinstance(template, type):
        changed = {}
        for field in dataclasses.fields(template):
            before = getattr(template, field.name)
            after = substitute(before, leaf)
            if after is not before:
                changed[field.name] = after
        return _replaced(template, changed) if changed else template
    return template


def _replaced(instance: Any, changed: dict[str, Any]) -> Any:
    # A dataclass may refuse `replace` (init=False fields) or assignment (frozen); neither matters
    # to a copy whose fields are set below both.
    clone = copy.copy(instance)
    for name, value in changed.items():
        object.__setattr__(clone, name, value)
    return clone


def leaves(template: Any) -> Iterator[Any]:
    """The `Reference`, `Outputs`, `FileInput` and `Path` leaves of a template, in order."""
    kind = type(template)
    if kind in _LEAVES or isinstance(template, Path):
        yield template
    elif kind in (list, tuple, set, frozenset) or (
        isinstance(template, tuple) and hasattr(template, "_fields")
    ):
        for item in template:
            yield from leaves(item)
    elif kind is dict:
        for key, value in template.items():
            yield from leaves(key)
            yield from leaves(value)
    elif dataclasses.is_dataclass(template) and not isinstance(template, type):
        for field in dataclasses.fields(template):
            yield from leaves(getattr(template, field.name))


_LEAVES = (Reference, Outputs, FileInput)
