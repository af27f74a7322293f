"""The keys of steps: which calls are one unique step, and under what its result is kept.

A step has two keys, as Nix has for derivations (Dolstra 2006). Its *derivation key* is known
before the run: code, instance, and for each argument its content digest or the derivation key
of the step that makes it. Its *content key* is known when its inputs are: the same with the
inputs' content digests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from batchwright.caching.digest import KnownDigest, digest
from batchwright.contracts.graph import FileInput, Outputs, Reference, substitute
from batchwright.errors import UncacheableArgument
from batchwright.records.model import Recipe, StepFailure

if TYPE_CHECKING:
    from collections.abc import Iterable

    from batchwright.contracts.graph import Argument, Bound, Step, StepGraph
    from batchwright.fleet.facts import FactBook, StepFacts

FORMAT = 1

# How the result of a step (by id), or the part of it that items select, is told to a key: by its
# digest; by its failure; or not at all, when it has no digest.
Told = str | StepFailure | None
TellResult = Callable[[int, tuple[Any, ...]], Told]


class Unique(msgspec.Struct, frozen=True, eq=False):
    """All steps, of any contracts, that are one call: computed once.

    `uid` names it before the run. It is a derivation key where `derivable`; downstream of what
    is not cached or does not repeat it only tells equal calls. `before` are the unique steps
    that changed the instance earlier in the contract, `reads` those whose results it takes.
    `bypass` says why its result is neither kept nor looked up, when that is so.
    """

    number: int
    uid: str
    step: Step
    steps: tuple[int, ...]
    facts: StepFacts
    derivable: bool
    before: tuple[int, ...] = ()
    reads: tuple[int, ...] = ()
    bypass: str = ""

    @property
    def label(self) -> str:
        """The method's name as shown to the user."""
        return self.step.label

    @property
    def storing(self) -> bool:
        """Whether it changes its instance."""
        return bool(self.facts.stores)


class Keyed(msgspec.Struct, frozen=True, eq=False):
    """A graph with its unique steps, each after those it reads; `of[step id]` is its number."""

    graph: StepGraph
    uniques: tuple[Unique, ...]
    of: tuple[int, ...]
    digests: ArgumentDigests


class ArgumentDigests:
    """Digests of arguments, each computed once; constants are remembered by identity."""

    def __init__(self) -> None:
        self._constants: dict[int, tuple[Argument, str | UncacheableArgument]] = {}
        self._mappings: dict[tuple[tuple[str, Any], ...], str] = {}
        self._moved: set[int] = set()

    def constant(self, argument: Argument) -> str:
        """The digest of an argument that reads no step; raises `UncacheableArgument`."""
        found = self._constants.get(id(argument))
        if found is None:
            found = self._constants[id(argument)] = (argument, _digest_of_constant(argument))
        if isinstance(found[1], str):
            return found[1]
        raise found[1]

    def look_again(self, argument: Argument) -> str:
        """The digest of a constant as it is now; for paths, whose contents can change."""
        before = self._constants.pop(id(argument), (argument, None))[1]
        try:
            return self.constant(argument)
        finally:
            if self._constants.get(id(argument), (argument, None))[1] != before:
                self._moved.add(id(argument))

    def has_moved(self, argument: Argument) -> bool:
        """Whether it was seen to have another content than when the keys were made."""
        return id(argument) in self._moved

    def of(self, argument: Argument, result: TellResult) -> str:
        """The digest of any argument, results told by `result(step id, items)`.

        Raises `UncacheableArgument` for a constant without content, `NoDigest` for a result.
        """
        if not argument.steps:
            return self.constant(argument)

        def known(step: int, items: tuple[Any, ...]) -> str:
            found = result(step, items)
            if not isinstance(found, str):
                raise NoDigest(step)
            return found

        def entry(name: str, step: int) -> tuple[str, Any]:
            found = result(step, ())
            if isinstance(found, StepFailure):
                return f"_error_{name}", found.as_value()
            return name, KnownDigest(known(step, ()))

        if type(argument.template) is Reference:
            return known(argument.template.step, argument.template.items)
        if type(argument.template) is Outputs:
            # By far the most frequent; hundreds of contracts have the same mapping.
            told = tuple((name, result(step, ())) for name, step in argument.template.entries)
            found = self._mappings.get(told)
            if found is None:
                found = digest(dict(entry(name, step) for name, step in argument.template.entries))
                self._mappings[told] = found
            return found

        def leaf(value: Any) -> Any:
            match value:
                case Reference(step=step, items=items):
                    return KnownDigest(known(step, items))
                case Outputs(entries=entries):
                    return dict(entry(name, step) for name, step in entries)
                case _:
                    return value.path

        return digest(substitute(argument.template, leaf))


class NoDigest(Exception):  # not a fault: the step that reads it has no key
    """A result that has no digest is read; `step` is the id of the step that makes it."""

    def __init__(self, step: int) -> None:
        self.step = step
        super().__init__(step)


def key_of(kind: str, recipe: Recipe) -> str:
    """The key that a recipe makes: 64 hex digits, stable between processes and machines."""
    content = msgspec.json.encode((FORMAT, kind, msgspec.structs.astuple(recipe)))
    return hashlib.sha256(content).hexdigest()


def opaque_digest(key: str, items: tuple[Any, ...] = (), nonce: str = "") -> str:
    """What tells a result whose content cannot be digested: how it came about."""
    return digest(("opaque result", key, items, nonce))


def recipe_of(
    step: Step,
    facts: StepFacts,
    digests: ArgumentDigests,
    result: TellResult,
    state: tuple[str, ...],
) -> Recipe:
    """What a step's key is made of, with results told by `result`.

    Arguments equal to their default are left out, so that `f(1)` and `f(1, 2)` are one call
    when 2 is the default; the default itself counts with the code.
    """
    return Recipe(
        label=step.label,
        code=facts.code.digest,
        constructor=facts.constructor.digest if facts.constructor is not None else "",
        construction=_named(
            step.instance.arguments if step.instance is not None else (),
            facts.method.constructor_defaults,
            digests,
            result,
        ),
        arguments=_named(step.arguments, facts.method.defaults, digests, result),
        state=state,
        version=step.options.version,
        sample=None if step.options.sample is None else digest(step.options.sample),
    )


def key_graph(graph: StepGraph, book: FactBook, unrepeatable: Iterable[str] = ()) -> Keyed:
    """Find the unique steps of a graph and name them.

    `unrepeatable` holds code digests of methods seen to give two values for one key.
    """
    digests = ArgumentDigests()
    unrepeatable = frozenset(unrepeatable)
    facts = [book.of(step) for step in graph.steps]
    before = _calls_before(graph, facts)
    numbers: dict[str, int] = {}
    of: list[int] = []
    members: list[list[int]] = []
    drafts: list[Unique] = []
    told: dict[tuple[int, str], str] = {}

    def result(step_id: int, items: tuple[Any, ...]) -> str:
        # Before the run a result is told by the call that makes it.
        number = of[step_id]
        asked = (number, digest(items) if items else "")
        if asked not in told:
            told[asked] = digest(("result of", drafts[number].uid, asked[1]))
        return told[asked]

    for step in graph.steps:
        fact = facts[step.id]
        earlier = tuple(dict.fromkeys(of[i] for i in before[step.id]))
        reads = tuple(dict.fromkeys(of[i] for i in step.reads))
        derivable = all(
            drafts[i].derivable and not _unsettled(drafts[i], unrepeatable)
            for i in (*reads, *earlier)
        )
        bypass = ""

        state = tuple(drafts[i].uid for i in earlier)
        try:
            uid = key_of("derivation", recipe_of(step, fact, digests, result, state))
        except UncacheableArgument as error:
            bypass = _explained(step, error, digests)
            uid = f"bypass:{step.id}"
        if not step.options.cache:
            bypass = "cache is off for it"
            uid = f"uncached:{step.id}"
        derivable = derivable and not bypass
        number = numbers.setdefault(uid, len(drafts))
        of.append(number)
        if number == len(drafts):
            members.append([step.id])
            drafts.append(Unique(number, uid, step, (), fact, derivable, earlier, reads, bypass))
        else:
            members[number].append(step.id)
    uniques = tuple(
        msgspec.structs.replace(draft, steps=tuple(ids))
        for draft, ids in zip(drafts, members, strict=True)
    )
    return Keyed(graph, uniques, tuple(of), digests)


def _unsettled(unique: Unique, unrepeatable: frozenset[str]) -> bool:
    """Whether its value may differ from one computation to the next."""
    return (
        bool(unique.bypass)
        or not unique.step.options.repeats
        or unique.facts.code.digest in unrepeatable
    )


def _calls_before(graph: StepGraph, facts: list[StepFacts]) -> list[tuple[int, ...]]:
    """For each step, the storing calls on its instance that its contract wrote before it.

    A step that contracts share comes after those of each: it has one history in all of them.
    """
    before: list[tuple[int, ...]] = [()] * len(graph.steps)
    for contract in graph.contracts:
        stored: dict[int, tuple[int, ...]] = {}
        for number in contract.steps:
            step = graph.steps[number]
            if step.instance is None:
                continue
            chain = stored.get(id(step.instance), ())
            if before[number] != chain:
                before[number] = tuple(sorted({*before[number], *chain}))
            if facts[number].stores:
                stored[id(step.instance)] = (*chain, number)
    return before


def _named(
    arguments: tuple[Bound, ...],
    defaults: dict[str, str],
    digests: ArgumentDigests,
    result: TellResult,
) -> tuple[tuple[str, str], ...]:
    named = ((bound.name, digests.of(bound.argument, result)) for bound in arguments)
    return tuple(sorted(pair for pair in named if defaults.get(pair[0]) != pair[1]))


def _digest_of_constant(argument: Argument) -> str | UncacheableArgument:
    template = argument.template
    if argument.files:
        template = substitute(
            template, lambda leaf: leaf.path if isinstance(leaf, FileInput) else leaf
        )
    try:
        return digest(template)
    except UncacheableArgument as error:
        return error


def _explained(step: Step, error: UncacheableArgument, digests: ArgumentDigests) -> str:
    """Which argument of which call has no content, in one line."""
    for bound in step.bound_arguments():
        if not bound.argument.steps:
            try:
                digests.constant(bound.argument)
            except UncacheableArgument as found:
                return f"cannot key argument {bound.name!r} of {step.label}(): {found.message}"
    return f"cannot key {step.label}(): {error.message}"
