"""Assembling steps: each method of each contract with its arguments and its instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from batchwright.contracts.binding import Named, bind
from batchwright.contracts.construction import Construction
from batchwright.contracts.graph import (
    Address,
    Argument,
    ContractNode,
    Outputs,
    Phase,
    Step,
)
from batchwright.contracts.layers import ContractFields, OwnArguments
from batchwright.contracts.lookalikes import Lookalikes
from batchwright.contracts.phases import label, plan_phases, provides, target, told
from batchwright.contracts.veto import parse_veto, steps_in_scope
from batchwright.errors import InvalidVeto, RequestError

if TYPE_CHECKING:
    from batchwright.contracts.binding import Layer
    from batchwright.contracts.constants import Constants
    from batchwright.contracts.files import Document
    from batchwright.contracts.graph import StepOptions
    from batchwright.contracts.inputs import Inputs
    from batchwright.contracts.model import MethodDocument, VetoDocument
    from batchwright.contracts.phases import PlannedPhase
    from batchwright.contracts.problems import Problems
    from batchwright.contracts.registry import Entry, Registry
    from batchwright.contracts.settings import Settings
    from batchwright.contracts.veto import Veto

_DEFAULT_CONFIDENCE = 0.5


class Assembler:
    """Adds contracts to a growing list of steps; what is wrong goes to `problems`.

    What is the same for all contracts (entries, instances, constants, vetoes) is made once.
    """

    def __init__(
        self,
        settings: Settings,
        registry: Registry,
        inputs: Inputs,
        constants: Constants,
        problems: Problems,
    ) -> None:
        self.steps: list[Step] = []
        self.inputs = inputs
        self.constants = constants
        self.problems = problems
        self.construction = Construction(settings, registry, inputs, constants)
        self.lookalikes = Lookalikes(settings)
        self._registry = registry
        self._entries: dict[tuple[str, str], Entry | RequestError] = {}
        self._vetoes: dict[tuple[str, VetoDocument], Veto | RequestError] = {}
        self._parameter_names: set[str] = set()

    @property
    def parameter_names(self) -> set[str]:
        """The names that some method or constructor takes."""
        return self._parameter_names | self.construction.parameter_names

    def add(self, document: Document, depends_on: tuple[str, ...]) -> ContractNode:
        """Add a contract's steps and return its node."""
        return _Assembly(self, document).node(depends_on)

    def entry(self, method: MethodDocument) -> Entry:
        """What a method's name stands for. Raises as the registry does."""
        key = (method.class_name or "", method.method_name)
        if key not in self._entries:
            try:
                entry = self._entries[key] = self._registry.method(*key)
            except RequestError as error:
                self._entries[key] = error
            else:
                self._parameter_names.update(p.name for p in entry.signature.parameters)
        found = self._entries[key]
        if isinstance(found, RequestError):
            raise found
        return found

    def veto(self, name: str, written: VetoDocument) -> Veto:
        """A veto as it is written. Raises `InvalidVeto`."""
        key = (name, written)
        if key not in self._vetoes:
            try:
                self._vetoes[key] = parse_veto(
                    name,
                    written.trigger,
                    written.action,
                    written.scope,
                    written.confidence_multiplier,
                    written.rationale,
                )
            except RequestError as error:
                self._vetoes[key] = error
        found = self._vetoes[key]
        if isinstance(found, RequestError):
            raise found
        return found


def _options(entry: Entry, method: MethodDocument) -> StepOptions:
    if method.cache is False:
        return msgspec.structs.replace(entry.options, cache=False)
    return entry.options


class _Assembly:
    """The assembly of one contract."""

    def __init__(self, assembler: Assembler, document: Document) -> None:
        self._assembler = assembler
        self._document = document
        self._contract = document.contract
        self._fields = ContractFields(document.contract, assembler.constants)
        self._outputs: dict[str, Argument] = {}
        self._makers = {target(name, phase): name for name, phase in self._contract.phases.items()}

    def node(self, depends_on: tuple[str, ...]) -> ContractNode:
        planned = plan_phases(self._contract.phases, self._refuse)
        phases = tuple(self._phase(phase) for phase in planned)
        handling = self._contract.error_handling
        self._check_vetoes(phases)
        return ContractNode(
            id=self._contract.id,
            steps=tuple(number for phase in phases for number in phase.steps),
            phases=phases,
            type=self._contract.type,
            depends_on=depends_on,
            on_failure=(handling and handling.on_method_failure) or "continue",
            source=self._document.place,
        )

    def _phase(self, planned: PlannedPhase) -> Phase:
        # In a cycle, which is an error already, what is waited for is not there.
        finished = {name: self._outputs[name] for name in planned.finished if name in self._outputs}
        others = (Named("outputs", finished), self._fields, self._assembler.inputs)
        steps = [self._step(method, planned, others) for method in planned.methods]
        numbers = tuple(step.id for step in steps if step is not None)
        named = {self._steps[number].address.provides: number for number in numbers}
        self._outputs[planned.target] = Argument.of(Outputs(tuple(sorted(named.items()))))
        return Phase(planned.name, planned.level, planned.target, numbers)

    def _step(
        self, method: MethodDocument, planned: PlannedPhase, others: tuple[Layer, ...]
    ) -> Step | None:
        place = told(planned.name, method)
        vetoes = self._parsed_vetoes(method, place)
        try:
            entry = self._assembler.entry(method)
        except RequestError as error:
            self._refuse(error, place)
            return None
        own = OwnArguments(method.args or {}, self._assembler.constants, self._document.base)
        bound, errors = bind(entry.signature, own, others, self._later(planned))
        instance = None
        if entry.method:
            assert method.class_name  # noqa: S101  # only a class has methods
            instance, wrong = self._assembler.construction.instance(method.class_name, entry.target)
            errors += wrong
        for problem in errors:
            self._refuse(problem, place)
        self._assembler.lookalikes.look(label(method), own)
        step = Step(
            id=len(self._steps),
            address=Address(self._contract.id, planned.name, provides(method)),
            arguments=bound,
            function=None if entry.method else entry.target,
            instance=instance,
            method=entry.method,
            level=method.level or planned.level,
            options=_options(entry, method),
            confidence=(
                _DEFAULT_CONFIDENCE if method.confidence_score is None else method.confidence_score
            ),
            vetoes=vetoes,
        )
        self._steps.append(step)
        return step

    def _later(self, planned: PlannedPhase) -> dict[str, str]:
        """Why outputs of the contract are not to be had in a phase."""
        return {
            output: f"phase '{name}' makes it, which need not come before: add '{name}' to "
            f"the dependencies of '{planned.name}'"
            for output, name in self._makers.items()
            if output not in planned.finished and name != planned.name
        }

    def _parsed_vetoes(self, method: MethodDocument, place: str) -> tuple[Veto, ...]:
        vetoes = []
        for name, written in (method.veto_conditions or {}).items():
            try:
                vetoes.append(self._assembler.veto(name, written))
            except RequestError as error:
                self._refuse(error, f"{place}, veto '{name}'")
        return tuple(vetoes)

    def _check_vetoes(self, phases: tuple[Phase, ...]) -> None:
        for phase in phases:
            for number in phase.steps:
                step = self._steps[number]
                for veto in step.vetoes:
                    try:
                        steps_in_scope(veto, step, phases, self._steps)
                    except InvalidVeto as error:
                        place = f"phase '{phase.name}', {step.label}, veto '{veto.name}'"
                        self._refuse(error, place)

    @property
    def _steps(self) -> list[Step]:
        return self._assembler.steps

    def _refuse(self, error: RequestError, place: str) -> None:
        where = f"{self._document.place}: contract '{self._contract.id}'"
        where = f"{where}, {place}" if place else where
        self._assembler.problems.add(error, where, order=self._document.order)
