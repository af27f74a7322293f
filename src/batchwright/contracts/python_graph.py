"""From contracts built in Python to the step graph."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from batchwright.contracts.contract import Contract, contracts_of
from batchwright.contracts.effects import Effects
from batchwright.contracts.graph import (
    Address,
    Argument,
    Bound,
    ContractNode,
    Instance,
    Reference,
    Step,
    StepGraph,
    substitute,
)
from batchwright.contracts.lookalikes import texts_naming_files
from batchwright.contracts.nearest import hint
from batchwright.contracts.order import in_order
from batchwright.errors import (
    DependencyCycle,
    InvalidFleet,
    RequestError,
    UnknownContract,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from batchwright.contracts.pending import Captured, CapturedArgument, ObjectCall, StepCall


def build_graph(what: Any) -> StepGraph:
    """The step graph of a contract, a step, an `{id: step}` mapping, or a list of these.

    Steps are numbered in the order of their calls, and a step used in several places is one.
    A step's address names the first contract that needs it, and within that the output it is,
    or else its function; repeated names are numbered by the contract's own steps alone.

    Raises:
        InvalidFleet: with everything that is wrong with it.
    """
    contracts = _in_order(contracts_of(what))
    return _Builder(contracts).graph()


class _Builder:
    def __init__(self, contracts: tuple[Contract, ...]) -> None:
        self.contracts = contracts
        self.calls: dict[int, StepCall] = {}
        self.needed = [self._closure(_roots(contract), {}) for contract in contracts]
        effects = Effects()
        effects.add(self.needed, self.calls, lambda call, found: self._closure([call], found))
        if conflicts := effects.conflicts(self.calls):
            raise InvalidFleet(conflicts)
        self.warnings = effects.left_out(self.calls)
        self.numbers = {serial: number for number, serial in enumerate(sorted(self.calls))}
        self.arguments: dict[Any, Argument] = {}
        self.instances: dict[int, Instance] = {}

    def graph(self) -> StepGraph:
        addresses: dict[int, Address] = {}
        nodes = []
        for contract, needed in zip(self.contracts, self.needed, strict=True):
            serials = sorted(needed)
            for serial, name in self._names(contract, serials):
                if serial not in addresses:
                    addresses[serial] = Address(contract.id, "", name)
            nodes.append(
                ContractNode(
                    contract.id,
                    tuple(self.numbers[serial] for serial in serials),
                    outputs=tuple((n, self._argument(c)) for n, c in contract.outputs),
                    depends_on=contract.depends_on,
                )
            )
        steps = tuple(
            self._step(number, self.calls[serial], addresses[serial])
            for serial, number in self.numbers.items()
        )
        warnings = (*self.warnings, *texts_naming_files(steps))
        return StepGraph(steps, tuple(nodes), warnings)

    def _closure(self, roots: Iterable[StepCall], found: dict[int, None]) -> dict[int, None]:
        """Adds the serials of `roots` and all they read to `found`."""
        waiting = list(roots)
        while waiting:
            call = waiting.pop()
            if call.serial not in found:
                found[call.serial] = None
                self.calls[call.serial] = call
                waiting.extend(call.reads())
        return found

    def _names(self, contract: Contract, serials: list[int]) -> list[tuple[int, str]]:
        """A name for each step, unique in the contract and depending on nothing outside it."""
        outputs: dict[int, str] = {}
        for name, captured in contract.outputs:
            whole = captured.template
            if name is not None and type(whole) is Reference and not whole.items:
                outputs.setdefault(whole.step, name)
        taken = set(outputs.values())
        counts: defaultdict[str, int] = defaultdict(int)
        named = []
        for serial in serials:
            name = outputs.get(serial) or ""
            while not name or (serial not in outputs and name in taken):
                plain = self.calls[serial].name
                counts[plain] += 1
                name = plain if counts[plain] == 1 else f"{plain}-{counts[plain]}"
            taken.add(name)
            named.append((serial, name))
        return named

    def _step(self, number: int, call: StepCall, address: Address) -> Step:
        return Step(
            number,
            address,
            self._bound(call.arguments),
            function=call.function,
            instance=None if call.instance is None else self._instance(call.instance),
            method=call.method,
            options=call.options,
        )

    def _instance(self, made: ObjectCall) -> Instance:
        if made.serial not in self.instances:
            self.instances[made.serial] = Instance(made.owner, self._bound(made.arguments))
        return self.instances[made.serial]

    def _bound(self, arguments: tuple[CapturedArgument, ...]) -> tuple[Bound, ...]:
        return tuple(Bound(a.name, self._argument(a.captured), a.kind) for a in arguments)

    def _argument(self, captured: Captured) -> Argument:
        """The argument; one for each value, however many steps take it."""
        template = captured.template
        key: Any = id(template)
        if type(template) is Reference:
            key = (template.step, repr(template.items))
        argument = self.arguments.get(key)
        if argument is None:
            if captured.calls:
                template = substitute(template, self._numbered)
            argument = self.arguments[key] = Argument.of(template)
        return argument

    def _numbered(self, leaf: Any) -> Any:
        return Reference(self.numbers[leaf.step], leaf.items) if type(leaf) is Reference else leaf


def _roots(contract: Contract) -> list[StepCall]:
    return [call for _, captured in contract.outputs for call in captured.calls]


def _in_order(contracts: tuple[Contract, ...]) -> tuple[Contract, ...]:
    """The contracts, each after those it depends on, else in the order given."""
    if not any(contract.depends_on for contract in contracts):
        return contracts
    places = {contract.id: place for place, contract in enumerate(contracts)}
    errors: list[RequestError] = [
        _unknown(contract.id, other, places)
        for contract in contracts
        for other in contract.depends_on
        if other not in places
    ]
    if errors:
        raise InvalidFleet(errors)
    order, cycles = in_order({contract.id: contract.depends_on for contract in contracts})
    if cycles:
        raise InvalidFleet(
            DependencyCycle(f"contracts depend on each other in a circle: {' -> '.join(circle)}")
            for circle in cycles
        )
    return tuple(contracts[places[id_]] for id_ in order)


def _unknown(id_: str, other: str, places: dict[str, int]) -> UnknownContract:
    return UnknownContract(
        f"contract {id_!r} depends on {other!r}, which is not in the fleet{hint(other, places)}"
    )
