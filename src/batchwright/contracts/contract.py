"""`Contract`: one job of a fleet built in Python; and what `run` takes as a fleet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

from batchwright.contracts.capture import capture
from batchwright.contracts.pending import Captured, StepMaker, StepValue
from batchwright.errors import (
    DuplicateContract,
    EmptyFleet,
    InvalidFleet,
    NotAContract,
    RequestError,
)


class Contract:
    """One job: an id, and the steps whose results it gives.

    `Contract("a", s)` gives one result, `Contract("a", accuracy=s, model=t)` several by name. A
    result may be a container with steps in it. It is taken as it is now; changing the container
    later changes nothing.

    Args:
        id: unique in its fleet.
        outputs: the one unnamed result.
        depends_on: ids of contracts (or the contracts) that must be done before; they set the
            order and hand over no data.
        named: the results by name.

    Raises:
        NotAContract: an id that is no text, no result, or both an unnamed and named ones.
        MisplacedStep: a step stands where steps are not looked for.
    """

    __slots__ = ("depends_on", "id", "outputs")

    id: str
    outputs: tuple[tuple[str | None, Captured], ...]
    depends_on: tuple[str, ...]

    def __init__(
        self,
        id: str,  # noqa: A002  # the word of the contract format
        outputs: Any = None,
        /,
        *,
        depends_on: str | Contract | Iterable[str | Contract] = (),
        **named: Any,
    ) -> None:
        if not isinstance(id, str) or not id.strip():
            raise NotAContract(f"a contract's id is text, not {id!r}")
        if outputs is not None and named:
            raise NotAContract(
                f"contract {id!r} has an unnamed result and named ones ({', '.join(named)}); "
                "give all of them names"
            )
        self.id = id
        self.depends_on = _ids(id, depends_on)
        given: dict[str | None, Any] = dict(named.items()) if named else {None: outputs}
        self.outputs = tuple(
            (name, capture(value, f"contract {id!r}{f', output {name!r}' if name else ''}"))
            for name, value in given.items()
        )
        if not any(captured.calls for _, captured in self.outputs):
            raise NotAContract(
                f"contract {id!r} has no step in its results, so there is nothing to run. "
                "Give it what a step function returned: Contract(id, step(f)(x))"
            )

    def __repr__(self) -> str:
        return f"<Contract {self.id!r}>"


def contracts_of(what: Any) -> tuple[Contract, ...]:
    """The contracts of a fleet: of one contract or step, an `{id: step}` mapping, or a list.

    Raises:
        InvalidFleet: with everything that is wrong with it.
    """
    errors: list[RequestError] = []
    if isinstance(what, Mapping):
        contracts = [_entry(id_, value, errors) for id_, value in what.items()]
    else:
        contracts = _listed(_members(what, errors), errors)
    found = [contract for contract in contracts if contract is not None]
    times = Counter(contract.id for contract in found)
    errors.extend(
        DuplicateContract(f"{number} contracts have the id {id_!r}; ids are unique in a fleet")
        for id_, number in times.items()
        if number > 1
    )
    if not found and not errors:
        errors.append(
            EmptyFleet("there are no contracts in it; give at least one step or contract")
        )
    if errors:
        raise InvalidFleet(errors)
    return tuple(found)


def _members(what: Any, errors: list[RequestError]) -> list[Any]:
    if isinstance(what, Contract | StepValue | StepMaker):
        return [what]
    if isinstance(what, Iterable) and not isinstance(what, str | bytes):
        return list(what)
    errors.append(
        NotAContract(
            f"a fleet is a contract, a step, an {{id: step}} mapping or a list of these, not a "
            f"{type(what).__name__}"
        )
    )
    return []


def _entry(id_: Any, value: Any, errors: list[RequestError]) -> Contract | None:
    try:
        if not isinstance(value, Contract):
            return Contract(id_, value)
        if value.id != id_:
            raise NotAContract(f"contract {value.id!r} stands under another id, {id_!r}")
    except RequestError as error:
        errors.append(error)
        return None
    return value


def _listed(members: list[Any], errors: list[RequestError]) -> list[Contract | None]:
    """Contracts as they are, and steps as contracts with ids from their functions' names."""
    taken = {member.id for member in members if isinstance(member, Contract)}
    bare = [member for member in members if isinstance(member, StepValue)]
    repeated = Counter(_name(member) for member in bare)
    numbers = {name: count(1) for name in repeated}
    contracts: list[Contract | None] = []
    for position, member in enumerate(members):
        if isinstance(member, Contract):
            contracts.append(member)
        elif isinstance(member, StepValue):
            name = _name(member)
            id_ = name if repeated[name] == 1 else f"{name}-{next(numbers[name])}"
            while id_ in taken:
                id_ = f"{name}-{next(numbers[name])}"
            taken.add(id_)
            contracts.append(Contract(id_, member))
        else:
            hint = (
                "it has not been called"
                if isinstance(member, StepMaker)
                else "only contracts and steps can stand in a list; anything else takes an id: "
                "{id: [s, t]}"
            )
            kind = repr(member) if isinstance(member, StepMaker) else f"a {type(member).__name__}"
            errors.append(NotAContract(f"number {position} of the list is {kind}: {hint}"))
    return contracts


def _name(member: StepValue) -> str:
    return member._batchwright_result()._batchwright_call.name


def _ids(id_: str, depends_on: Any) -> tuple[str, ...]:
    if isinstance(depends_on, str | Contract):
        depends_on = (depends_on,)
    if isinstance(depends_on, StepValue) or not isinstance(depends_on, Iterable):
        raise NotAContract(
            f"contract {id_!r}: depends_on takes contract ids, not a {type(depends_on).__name__}"
        )
    ids = [item.id if isinstance(item, Contract) else item for item in depends_on]
    for item in ids:
        if not isinstance(item, str):
            raise NotAContract(
                f"contract {id_!r}: depends_on takes contract ids, not {item!r}; a step's result "
                "is handed over as an argument"
            )
    return tuple(dict.fromkeys(ids))
