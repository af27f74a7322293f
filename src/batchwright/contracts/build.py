"""From a fleet's documents to the step graph, with all that is wrong told at once."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, BinaryIO

from batchwright.contracts.assembly import Assembler
from batchwright.contracts.constants import Constants
from batchwright.contracts.files import Document, read_fleet, source_folder
from batchwright.contracts.graph import StepGraph
from batchwright.contracts.inputs import Inputs
from batchwright.contracts.nearest import hint, listing
from batchwright.contracts.order import in_order
from batchwright.contracts.problems import Problems
from batchwright.contracts.registry import import_registry
from batchwright.contracts.settings import settings_for
from batchwright.errors import (
    AmbiguousClass,
    DependencyCycle,
    InvalidFleet,
    NoSignature,
    NothingSelected,
    RequestError,
    UnknownClass,
    UnknownContract,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from batchwright.contracts.graph import ContractNode
    from batchwright.contracts.registry import Registry
    from batchwright.contracts.settings import Settings


def load_fleet(
    source: str | Path,
    *,
    settings: Settings | None = None,
    inputs: Mapping[str, Any] | None = None,
    only: str | Collection[str] | None = None,
    registry: Registry | None = None,
    stdin: BinaryIO | None = None,
) -> StepGraph:
    """The step graph of the contracts in a folder, a file, JSON lines, or `-` (standard input).

    `settings` are those found for the source when not given. `inputs` go before the settings':
    a string or `Path` is a path, `"@path"` a file's text, anything else a constant. `only` is a
    pattern (`Q01*`) on contract ids, or a set of ids; dependencies on contracts left out by it
    are dropped. The
    `registry` imports the settings' methods modules when not given.

    Raises `InvalidFleet`, whose `errors` are all that is wrong, in file order.
    """
    problems = Problems()
    try:
        settings = settings or settings_for(source_folder(source))
        reading = read_fleet(source, problems, stdin=stdin)
    except RequestError as error:
        raise InvalidFleet([error]) from error
    if registry is None:
        try:
            registry = import_registry(settings)
        except RequestError as error:
            problems.add(error)
            problems.raise_if_any()
            raise  # not reached: there is a problem
    constants = Constants()
    given = Inputs(constants, inputs or {}, settings.inputs, settings.folder)
    for problem in given.errors():
        problems.add(problem)
    _refuse_unknown_classes(settings, registry, problems)

    documents = _selected(reading.documents, only, problems)
    everyone = {document.contract.id for document in reading.documents}
    assembler = Assembler(settings, registry, given, constants, problems)
    contracts = tuple(
        assembler.add(document, _kept(document, documents))
        for document in _ordered(documents, everyone, problems)
    )
    problems.raise_if_any()
    warnings = (
        *_left_out_warnings(reading.left_out),
        *_empty_warnings(contracts),
        *assembler.lookalikes.warnings,
        *(_unused_warnings(given, assembler.parameter_names) if only is None else ()),
    )
    return StepGraph(tuple(assembler.steps), contracts, warnings)


def _selected(
    documents: Sequence[Document], only: str | Collection[str] | None, problems: Problems
) -> dict[str, Document]:
    selected = {
        document.contract.id: document
        for document in documents
        if is_selected(document.contract.id, only)
    }
    if only is not None and not selected and documents:
        problems.add(nothing_selected(only, [document.contract.id for document in documents]))
    return selected


def is_selected(id_: str, only: str | Collection[str] | None) -> bool:
    """Whether a contract is asked for: its id matches the pattern, or is among the ids."""
    if only is None:
        return True
    return fnmatchcase(id_, only) if isinstance(only, str) else id_ in only


def nothing_selected(only: str | Collection[str], ids: Collection[str]) -> NothingSelected:
    """The error when no contract of a fleet is asked for."""
    if isinstance(only, str):
        return NothingSelected(f"no contract id matches '{only}'{hint(only, ids)}")
    return NothingSelected(f"the fleet has none of the contracts {listing(sorted(only), 5)}")


def _kept(document: Document, selected: Collection[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(d for d in document.contract.depends_on or () if d in selected))


def _ordered(
    documents: Mapping[str, Document], everyone: Collection[str], problems: Problems
) -> list[Document]:
    """The documents, each after those it depends on."""
    for document in documents.values():
        for other in document.contract.depends_on or ():
            if other not in everyone:
                problems.add(
                    UnknownContract(
                        f"there is no contract '{other}' to depend on{hint(other, everyone)}"
                    ),
                    document.place,
                    order=document.order,
                )
    order, cycles = in_order({name: _kept(d, documents) for name, d in documents.items()})
    for cycle in cycles:
        first = documents[cycle[0]]
        problems.add(
            DependencyCycle(f"contracts wait for each other: {' -> '.join(cycle)}"),
            first.place,
            order=first.order,
        )
    return [documents[name] for name in order]


def _refuse_unknown_classes(settings: Settings, registry: Registry, problems: Problems) -> None:
    named = {
        "instances.": settings.instances, "stateful: ": settings.stateful,
        "stateless: ": settings.stateless,
    }  # fmt: skip
    for key, names in named.items():
        for name in names:
            try:
                registry.constructor(name)
            except (UnknownClass, AmbiguousClass) as error:
                problems.add(error, f"{settings.where}: {key}{name}")
            except NoSignature:
                pass  # matters only where the class is called


def _left_out_warnings(left_out: Sequence[str]) -> list[str]:
    if not left_out:
        return []
    if len(left_out) == 1:
        return [f"1 JSON file holds no contract and was left out: {left_out[0]}"]
    count = len(left_out)
    return [f"{count} JSON files hold no contract and were left out: {listing(left_out, 5)}"]


def _empty_warnings(contracts: Sequence[ContractNode]) -> list[str]:
    empty = [contract.id for contract in contracts if not contract.steps]
    return [f"contracts without methods: {listing(empty)}"] if empty else []


def _unused_warnings(inputs: Inputs, parameters: Collection[str]) -> list[str]:
    return [
        f"{inputs.told(name)}: no method takes an argument '{name}'{hint(name, parameters)}"
        for name in inputs.names()
        if name not in parameters
    ]
