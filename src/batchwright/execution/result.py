"""What a run gives back: the contracts' results, loaded when they are looked at."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from batchwright.contracts.graph import Reference, substitute
from batchwright.contracts.nearest import hint
from batchwright.errors import NoResult, StepFailed, UnknownContract
from batchwright.fleet.outcome import confidence_of

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from batchwright.contracts.graph import ContractNode
    from batchwright.execution.prepare import Prepared
    from batchwright.fleet.outcome import ContractOutcome, Outcome
    from batchwright.records.model import RunRecord, StepRecord


class ContractResult(Mapping[str, Any]):
    """One contract's results by name.

    Of a JSON contract the names are output targets, each a mapping from `provides` to value, in
    which a failed method stands as `_error_<provides>`; voided outputs are left out. Of a Python
    contract they are its outputs, also as attributes; a single unnamed one is `.value`.
    Reading the result of a failed step raises what the step raised.
    """

    def __init__(self, result: Result, contract: ContractNode, outcome: ContractOutcome) -> None:
        self._result = result
        self._contract = contract
        self._outcome = outcome
        self.id = contract.id
        self.status = outcome.status

    @property
    def value(self) -> Any:
        """The result of a contract with a single output."""
        if len(self._contract.outputs) != 1:
            raise NoResult(
                f"contract {self.id!r} has {len(self._contract.outputs) or 'no'} outputs, "
                f"not a single one; use result[{self.id!r}][name]"
            )
        return self[self._names()[0]]

    @property
    def confidence(self) -> dict[str, dict[str, float]]:
        """The confidence of each result after vetoes, by output target and `provides` name."""
        steps = self._result.steps_of_graph
        return {
            phase.target: {
                steps[i].address.provides: confidence_of(steps[i], self._outcome)
                for i in phase.steps
            }
            for phase in self._contract.phases
        }

    @property
    def vetoes(self) -> list[str]:
        """The names of the vetoes that fired."""
        if self._outcome.vetoes is None:
            return []
        return [fired.veto.name for fired in self._outcome.vetoes.fired]

    def __getitem__(self, name: str) -> Any:
        for phase in self._contract.phases:
            if phase.target == name:
                return self._phase(phase.steps)
        for place, (own, argument) in enumerate(self._contract.outputs):
            if name == (own if own is not None else str(place)):
                return substitute(argument.template, self._leaf)
        raise KeyError(name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            names = self._names()
            raise AttributeError(
                f"contract {self.id!r} has no result {name!r}{hint(name, names)}; "
                f"it has {', '.join(names)}"
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def __contains__(self, name: object) -> bool:
        return name in self._names()  # without a look at the value, which may raise

    def __repr__(self) -> str:
        unnamed = len(self._contract.outputs) == 1 and self._contract.outputs[0][0] is None
        names = "value" if unnamed else ", ".join(self._names())
        return f"<contract {self.id!r}: {self.status}; {names}>"

    def _names(self) -> list[str]:
        if self._contract.phases:
            return [phase.target for phase in self._contract.phases]
        return [n if n is not None else str(i) for i, (n, _) in enumerate(self._contract.outputs)]

    def _phase(self, steps: tuple[int, ...]) -> dict[str, Any]:
        voided = self._outcome.vetoes.voided if self._outcome.vetoes is not None else ()
        found: dict[str, Any] = {}
        for step in steps:
            provides = self._result.steps_of_graph[step].address.provides
            outcome = self._result.outcome_of(step)
            if step in voided or outcome is None or step in self._outcome.unreached:
                continue
            if outcome.failure is not None:
                found[f"_error_{provides}"] = outcome.failure.as_value()
            else:
                found[provides] = self._result.value_of(step)
        return dict(sorted(found.items()))

    def _leaf(self, leaf: Any) -> Any:
        if not isinstance(leaf, Reference):
            return leaf
        found = self._result.value_of(leaf.step)
        for item in leaf.items:
            found = found[item]
        return found


class Result(Mapping[str, ContractResult]):
    """What a run gave, by contract id. Values are loaded when they are looked at.

    It holds the run's cache open; use it in a `with` block, or `close` it, to let that go.
    """

    def __init__(
        self,
        prepared: Prepared,
        run: RunRecord,
        records: Mapping[int, StepRecord],
        outcomes: Mapping[int, Outcome],
        ended: Mapping[str, ContractOutcome],
        value: Callable[[int], Any],
    ) -> None:
        self._prepared = prepared
        self._records = records
        self._outcomes = outcomes
        self._ended = ended
        self._value = value
        self._closed = False
        self._contracts = {contract.id: contract for contract in prepared.graph.contracts}
        self.run = run
        self.steps_of_graph = prepared.graph.steps

    def __getitem__(self, id: str) -> ContractResult:  # noqa: A002  # DESIGN's word for it
        contract = self._contracts.get(id)
        if contract is None or id not in self._ended:
            raise UnknownContract(
                f"the run has no contract {id!r}{hint(str(id), list(self._ended))}"
            )
        return ContractResult(self, contract, self._ended[id])

    def __iter__(self) -> Iterator[str]:
        return iter(self._ended)

    def __len__(self) -> int:
        return len(self._ended)

    def __contains__(self, id: object) -> bool:  # noqa: A002
        return id in self._ended

    @property
    def failed(self) -> list[str]:
        """The ids of the contracts that failed."""
        return [id_ for id_, outcome in self._ended.items() if outcome.status == "failed"]

    @property
    def partial(self) -> list[str]:
        """The ids of the contracts that lack some result."""
        return [id_ for id_, outcome in self._ended.items() if outcome.status == "partial"]

    @property
    def figures(self) -> dict[str, Any]:
        """The run's figures; times are in ms where the name says so, else in seconds."""
        return dict(self.run.summary)

    @property
    def records(self) -> list[StepRecord]:
        """A record of each unique step that the run settled, in plan order."""
        return [self._records[number] for number in sorted(self._records)]

    def explain(self, id: str) -> str:  # noqa: A002
        """Why each step of a contract ran, or did not, a line each."""
        contract = self._contracts.get(id)
        if contract is None:
            raise UnknownContract(f"the run has no contract {id!r}{hint(id, self._contracts)}")
        lines = [f"{id}: {self._ended[id].status if id in self._ended else 'not finished'}"]
        for step in contract.steps:
            record = self._records.get(self._prepared.keyed.of[step])
            node = self.steps_of_graph[step]
            outcome, reason = ("not run", "") if record is None else (record.outcome, record.reason)
            lines.append(f"  {node.address}  {node.label}: {outcome}; {reason}".rstrip("; "))
        return "\n".join(lines)

    def summary(self) -> str:
        """The run in a few lines, as the command line tells it."""
        from batchwright.execution.telling import ending_lines

        return "\n".join(ending_lines(self.run.summary))

    def outcome_of(self, step: int) -> Outcome | None:
        """How a step, by its id in the graph, ended; None when it was not reached."""
        return self._outcomes.get(self._prepared.keyed.of[step])

    def value_of(self, step: int) -> Any:
        """The result of a step by its id in the graph, as a copy of one's own.

        Raises what the step raised, or the step that it could not do without; `StepFailed` when
        that exception is not at hand any more.
        """
        outcome = self.outcome_of(step)
        node = self.steps_of_graph[step]
        if outcome is None:
            raise NoResult(f"{node.address} ({node.label}) was not run")
        if outcome.failure is not None:
            raised = self._raised(self._prepared.keyed.of[step])
            if raised is not None:
                raise raised
            raise StepFailed(
                f"{node.address} ({node.label}): {outcome.failure.type}: {outcome.failure.message}"
            )
        return self._loaded(step)

    def _loaded(self, step: int) -> Any:
        if self._closed:
            raise NoResult(
                f"the results of run {self.run.id} are closed: read values inside the `with` "
                "block, or before close()"
            )
        return self._value(step)

    def _raised(self, number: int) -> BaseException | None:
        """What a unique step raised; of a skipped one, what the step raised that it lacked."""
        uniques = self._prepared.keyed.uniques
        while self._outcomes[number].status == "skipped":
            failed = (n for n in uniques[number].reads if not self._succeeded(n))
            lacked = next(failed, None)
            if lacked is None:
                return None
            number = lacked
        return self._outcomes[number].error

    def _succeeded(self, number: int) -> bool:
        return number not in self._outcomes or self._outcomes[number].succeeded

    def as_dict(self) -> dict[str, Any]:
        """The run for machines; see `to_json` for its shape."""
        keyed = self._prepared.keyed
        contracts = {}
        for id_, outcome in self._ended.items():
            contract = self._contracts[id_]
            contracts[id_] = {
                "status": outcome.status,
                "problems": list(outcome.problems),
                "vetoes": self[id_].vetoes,
                "confidence": self[id_].confidence,
                "steps": [
                    {
                        "address": str(self.steps_of_graph[step].address),
                        "step": keyed.of[step],
                    }
                    for step in contract.steps
                    if keyed.of[step] in self._records
                ],
            }
        return {
            "run": self.run.id,
            "fleet": self.run.fleet,
            "status": self.run.status,
            "started": self.run.started,
            "ended": self.run.ended,
            "summary": self.figures,
            "contracts": contracts,
            "steps": {str(record.number): _step_as_dict(record) for record in self.records},
        }

    def to_json(self, path: str | os.PathLike[str], *, values: bool = True) -> None:
        """Write the run as JSON to a file; see `json` for what it holds."""
        Path(path).write_text(self.json(values=values), encoding="utf-8")

    def json(self, *, values: bool = True) -> str:
        """The run as JSON: figures, contracts by id, unique steps by number.

        A contract's steps name their address and the number of their unique step; with `values`
        a step that has a result carries it as `value` when JSON can hold it exactly enough, else
        `value_omitted` says why.
        """
        told = self.as_dict()
        if values:
            for number, step in told["steps"].items():
                if step["outcome"] in ("known", "computed"):
                    self._add_value(step, int(number))
        encoded = msgspec.json.encode(told, enc_hook=str)
        return msgspec.json.format(encoded, indent=1).decode() + "\n"

    def _add_value(self, step: dict[str, Any], number: int) -> None:
        unique = self._prepared.keyed.uniques[number]
        try:
            encoded = msgspec.json.encode(self._loaded(unique.step.id), enc_hook=_as_json)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            step["value_omitted"] = str(error)
            return
        if len(encoded) > _VALUE_BYTES:
            step["value_omitted"] = f"{len(encoded):,} bytes as JSON"
        else:
            step["value"] = msgspec.json.decode(encoded)

    def close(self) -> None:
        """Let go of the state database and the cache; values cannot be loaded afterwards."""
        self._closed = True
        self._prepared.close()

    def __enter__(self) -> Result:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        summary = self.run.summary
        return (
            f"<run {self.run.id} {self.run.status}: {summary['ok']} ok, "
            f"{summary['partial']} partial, {summary['contracts_failed']} failed>"
        )


_VALUE_BYTES = 100_000


def _as_json(value: Any) -> Any:
    tolist = getattr(value, "tolist", None)
    if tolist is not None:  # numpy arrays and scalars
        return tolist()
    raise TypeError(f"{type(value).__qualname__} has no form in JSON")


def _step_as_dict(record: StepRecord) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(record)
    told.pop("recipe")
    return told
