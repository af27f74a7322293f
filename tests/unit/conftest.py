"""Fleets made by hand, their cache a dict."""

from __future__ import annotations

import pytest

from batchwright.caching.code import CodeFacts
from batchwright.caching.digest import digest
from batchwright.caching.entry import EntryInfo
from batchwright.contracts.graph import (
    Address,
    Argument,
    Bound,
    ContractNode,
    Outputs,
    Reference,
    Step,
    StepGraph,
    StepOptions,
    Target,
)
from batchwright.execution.context import Context
from batchwright.fleet.facts import FactBook, MethodFacts
from batchwright.fleet.keys import key_graph
from batchwright.fleet.lookup import (
    Lookup,
    derivation_entry,
    part_name,
)
from batchwright.fleet.outcome import Outcome
from batchwright.records.model import StepFailure


class HandMadeFleet:
    """Functions `f0`, `f1`, ... that read each other, with a cache that is a dict."""

    def __init__(self, reads, outputs=None, *, options=None, parts=None, mapping=()):
        """`reads[i]` are the steps that `fi` reads; `mapping` those that it reads as a mapping.

        `parts[i]` is the key by which consumers of `fi` read it.
        """
        self.reads = reads
        outputs = list(range(len(reads))) if outputs is None else sorted(outputs)
        options, parts = options or {}, parts or {}
        steps = [
            Step(
                i,
                Address("c", "", f"f{i}"),
                tuple(self._bound(i, parts, mapping)),
                function=Target("m", f"f{i}"),
                options=options.get(i, StepOptions()),
            )
            for i in range(len(reads))
        ]
        shown = tuple((f"o{i}", Argument.of(Reference(i))) for i in outputs)
        contract = ContractNode("c", tuple(range(len(reads))), outputs=shown)
        facts = {f"m:f{i}": MethodFacts(CodeFacts(f"code{i}", {})) for i in range(len(reads))}
        graph = StepGraph(tuple(steps), (contract,))
        self.keyed = key_graph(graph, FactBook(remembered=facts))
        self.entries = {}
        self.failures = {}

    def _bound(self, i, parts, mapping):
        if i in mapping:
            named = Outputs(tuple((f"r{j}", j) for j in self.reads[i]))
            return [Bound("mapping", Argument.of(named))]
        return [
            Bound(f"a{j}", Argument.of(Reference(j, (parts[j],) if j in parts else ())))
            for j in self.reads[i]
        ]

    def compute(self, value_of=lambda i: f"v{i}", part_of=lambda i: {}, fails=()):
        """Put every step's entry where a run would; the content keys by step."""
        context = Context(self.keyed, None, None, {}, bool, float)
        keys = {}
        for unique in self.keyed.uniques:
            key, _, _ = context.content_key(unique)
            i = unique.step.id
            if i in fails:
                failure = self.failures[key] = StepFailure("ValueError", f"f{i}")
                context.outcomes[unique.number] = Outcome("failed", key, failure=failure)
                continue
            keys[i] = key
            parts = {part_name((k,)): digest(v) for k, v in part_of(i).items()}
            outcome = Outcome("computed", key, digest(value_of(i)), parts)
            context.outcomes[unique.number] = outcome
            if key is not None:
                self.entries[key] = EntryInfo(key, outcome.digest, parts, f"f{i}")
        self.outcomes = context.outcomes
        return keys

    def derive(self, i):
        """Put a step's derivation record where a run would."""
        unique, outcomes = self.keyed.uniques[i], self.outcomes
        noted = {"key": outcomes[i].key}
        for place, number in enumerate(unique.reads):
            noted[f"input {place}"] = outcomes[number].digest
            noted[f"input key {place}"] = outcomes[number].key
        name = derivation_entry(unique.uid)
        self.entries[name] = EntryInfo(name, outcomes[i].digest, noted)

    def find(self, keys):
        return {key: self.entries[key] for key in keys if key in self.entries}

    def standings(self, part=lambda key, items: None):
        return Lookup(self.keyed, self.find, self.failures, part).run()

    def statuses(self):
        return [standing.status for standing in self.standings()]


@pytest.fixture(scope="session")
def Fleet():
    return HandMadeFleet
