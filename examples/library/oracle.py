"""Check a run of this fleet against a plain one: every method of a contract called in turn.

    batchwright run examples/library --json run.json
    python examples/library/oracle.py run.json --sample 10

It reads the contracts' JSON itself, binds arguments by name, calls, and compares the digests of
the results. Nothing is cached, planned or shared between contracts, except objects that take one
of the run's inputs to build, such as an index of the text; these are built once in a process.
Of batchwright only `digest` is used.

Random numbers are the same because batchwright seeds the generators from the key of a step, and
the run's report tells the keys. A fitted model has no digest; here it is told by its attributes,
which the report does not have, so that models are compared through what is computed with them.

From tests: `run_contracts(folder, ids, seeds)`, on any copy of the fleet.
"""

from __future__ import annotations

import argparse
import copy
import fnmatch
import importlib
import inspect
import json
import random
import subprocess
import sys
import time
import tomllib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

FAILED = "failed"
SKIPPED = "skipped"
OPAQUE = "opaque"


class Fleet:
    """The settings and the contracts of a folder, and the classes that its methods belong to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        settings = tomllib.loads((folder / "batchwright.toml").read_text("utf-8"))
        self.inputs: dict[str, str] = settings.get("inputs", {})
        self.instances: dict[str, dict[str, Any]] = settings.get("instances", {})
        self.modules: list[str] = settings["methods"]
        self._texts: dict[str, str] = {}
        self._built: dict[str, Any] = {}

    def contracts(self) -> dict[str, dict[str, Any]]:
        """The contracts by id."""
        paths = sorted((self.folder / "contracts").glob("*.json"))
        read = [json.loads(path.read_text("utf-8")) for path in paths]
        return {contract["identity"]["contract_id"]: contract for contract in read}

    def find_class(self, name: str) -> type[Any]:
        """The class of that name among the methods' modules."""
        for module_name in self.modules:
            found = getattr(importlib.import_module(module_name), name, None)
            if inspect.isclass(found) and found.__module__ == module_name:
                return found
        raise LookupError(f"no module of {', '.join(self.modules)} defines the class {name}")

    def new_object(self, name: str) -> tuple[Any, bool]:
        """An object of a class, and whether it may be kept: whether it took an input to build."""
        kind = self.find_class(name)
        given = self.instances.get(name, {})
        arguments = self.bind(kind, (given,))
        return kind(**arguments), any(argument not in given for argument in arguments)

    def object_for(self, name: str, of_contract: dict[str, Any]) -> Any:
        """The object that a contract calls the methods of a class on."""
        if name in self._built:
            return self._built[name]
        if name not in of_contract:
            made, lasting = self.new_object(name)
            (self._built if lasting else of_contract)[name] = made
            return made
        return of_contract[name]

    def bind(self, function: Callable[..., Any], layers: tuple[Any, ...]) -> dict[str, Any]:
        """The arguments that a signature names, from the first layer that has each, or an input."""
        arguments = {}
        for parameter in inspect.signature(function).parameters.values():
            layer = next((layer for layer in layers if parameter.name in layer), None)
            if layer is not None:
                arguments[parameter.name] = copy.deepcopy(layer[parameter.name])
            elif parameter.name in self.inputs:
                arguments[parameter.name] = self._input(parameter)
            elif parameter.default is inspect.Parameter.empty:
                raise LookupError(f"nothing gives {parameter.name} of {function.__qualname__}")
        return arguments

    def _input(self, parameter: inspect.Parameter) -> str | Path:
        written = self.inputs[parameter.name]
        if written.startswith("@"):
            if written not in self._texts:
                self._texts[written] = (self.folder / written[1:]).read_text("utf-8-sig")
            return self._texts[written]
        path = self.folder / written
        return str(path) if parameter.annotation in (str, "str") else path


# --- running -------------------------------------------------------------------------------


def run_contract(
    fleet: Fleet, contract: dict[str, Any], seeds: Mapping[str, str]
) -> dict[str, str]:
    """The outcome of each method by its address: a digest, or what went wrong."""
    name = contract["identity"]["contract_id"]
    fields = {**contract["identity"], "question_context": contract.get("question_context")}
    outputs: dict[str, dict[str, Any]] = {}
    objects: dict[str, Any] = {}
    outcomes: dict[str, str] = {}
    for phase_name, phase in contract["method_binding"]["execution_phases"].items():
        results: dict[str, Any] = {}
        for method in phase["methods"]:
            provides = method["provides"]
            address = f"{name}/{phase_name}/{provides}"
            layers = (method.get("args", {}), outputs, fields)
            seed(seeds.get(address))
            try:
                value = call(fleet, method, layers, objects)
            except Skipped:
                outcomes[address] = SKIPPED
            except Exception as error:  # "continue": a failure is a result
                told = {"type": type(error).__qualname__, "message": str(error)}
                results[f"_error_{provides}"] = told
                outcomes[address] = failed(told)
            else:
                results[provides] = value
                outcomes[address] = fingerprint(value)
        outputs[phase["output_target"]] = dict(sorted(results.items()))
    return outcomes


class Skipped(Exception):  # no error, but an outcome
    """A method names a phase in which everything failed."""


def call(
    fleet: Fleet, method: dict[str, Any], layers: tuple[Any, ...], objects: dict[str, Any]
) -> Any:
    """Call a method, and keep what it gave as it was then."""
    unbound = getattr(fleet.find_class(method["class_name"]), method["method_name"])
    names = list(inspect.signature(unbound).parameters)
    outputs = layers[1]
    if any(is_hopeless(outputs[name]) for name in names if name in outputs):
        raise Skipped
    bound = getattr(fleet.object_for(method["class_name"], objects), method["method_name"])
    return copy.deepcopy(bound(**fleet.bind(bound, layers)))


def is_hopeless(output: dict[str, Any]) -> bool:
    """Whether nothing of a phase went right."""
    return bool(output) and all(name.startswith("_error_") for name in output)


def seed(key: str | None) -> None:
    """Seed the global generators from a step's key, as batchwright does."""
    if key is not None:
        import numpy as np

        number = int(key[:16], 16)
        random.seed(number)
        np.random.seed(number % 2**32)


def failed(told: Mapping[str, str]) -> str:
    """The outcome of a method that raised."""
    return f"{FAILED} {told['type']}: {told['message']}"


def fingerprint(value: Any) -> str:
    """The digest of a result, or `opaque` and the digest of its attributes when it has none."""
    from batchwright import digest
    from batchwright.errors import UncacheableArgument

    try:
        return digest(value)
    except UncacheableArgument:
        return f"{OPAQUE} {digest({'class': type(value).__qualname__, 'vars': vars(value)})}"


# --- in a fresh process --------------------------------------------------------------------


def run_contracts(
    folder: Path | str, ids: Iterable[str], seeds: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Run contracts of the fleet in `folder` in a fresh process, one after the other.

    `seeds` gives the key of each step by its address. The outcome of a step, by its address, is
    its digest; `opaque <digest>` for a result told by its attributes; `failed <type>: <message>`;
    or `skipped`. Raises RuntimeError with what the process said when it could not go on.
    """
    request = {"folder": str(Path(folder).resolve()), "ids": list(ids), "seeds": dict(seeds or {})}
    done = subprocess.run(  # noqa: S603  # this very script
        [sys.executable, __file__, "--serve"],
        input=json.dumps(request),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the oracle could not run {folder}:\n{done.stderr}")
    outcomes: dict[str, str] = json.loads(done.stdout.splitlines()[-1])
    return outcomes


def serve() -> None:
    """Answer the request of `run_contracts`: from standard input to standard output."""
    request = json.load(sys.stdin)
    folder = Path(request["folder"])
    # In place of this script's own folder, whose package of the same name is another fleet's.
    sys.path[0] = str(folder)
    fleet = Fleet(folder)
    contracts = fleet.contracts()
    outcomes: dict[str, str] = {}
    for name in request["ids"]:
        outcomes |= run_contract(fleet, contracts[name], request["seeds"])
    print(json.dumps(outcomes))


# --- comparing -----------------------------------------------------------------------------


def steps_of(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The steps of a run's report, each under its address.

    The report has a step that contracts share once, by number, and names it in each of them.
    """
    return [
        {**report["steps"][str(place["step"])], "address": place["address"]}
        for contract in report["contracts"].values()
        for place in contract["steps"]
    ]


def seeds_of(steps: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The key of each step by its address, where it has one."""
    return {step["address"]: step["key"] for step in steps if step.get("key")}


def compare(steps: Iterable[Mapping[str, Any]], outcomes: Mapping[str, str]) -> list[str]:
    """What differs between a run's report and the oracle's outcomes, one line each."""
    reported = {step["address"]: step for step in steps}
    differences = []
    for address in sorted(reported.keys() | outcomes.keys()):
        step, wanted = reported.get(address), outcomes.get(address)
        if step is None or wanted is None:
            where = "report" if step is None else "oracle"
            differences.append(f"{address}: not in the {where}")
        elif not agrees(step, wanted):
            failure = step.get("failure")
            got = step.get("digest") or (
                f"{failure['type']}: {failure['message']}" if failure else "no digest"
            )
            differences.append(f"{address}: {step['outcome']} {got}, the oracle has {wanted}")
    return differences


def agrees(step: Mapping[str, Any], wanted: str) -> bool:
    """Whether a step of the report came out as the oracle's."""
    if wanted.startswith(FAILED):
        return step["outcome"] == FAILED and failed(step["failure"]) == wanted
    if wanted == SKIPPED:
        return bool(step["outcome"] == SKIPPED)
    if step["outcome"] in (FAILED, SKIPPED):
        return False
    return wanted.startswith(OPAQUE) or step.get("digest") == wanted


def kind_of(outcome: str) -> str:
    """`failed`, `skipped`, `opaque`, or `digest`."""
    first = outcome.partition(" ")[0]
    return first if first in (FAILED, SKIPPED, OPAQUE) else "digest"


def spread(names: list[str], count: int) -> list[str]:
    """`count` of the names, evenly spread, each a little further on in its stretch of names.

    So that contracts sorted by question and area come out with different areas.
    """
    count = min(count, len(names))
    width = len(names) // max(count, 1)
    return [names[number * len(names) // count + number % width] for number in range(count)]


def main() -> int:
    """Compare a report with the oracle and print figures; 1 when anything differs."""
    options = _options()
    steps = steps_of(json.loads(options.report.read_text("utf-8")))
    names = sorted({_contract(step) for step in steps})
    if options.contracts:
        chosen = fnmatch.filter(names, options.contracts)
    else:
        chosen = names if options.all else spread(names, options.sample)
    if not chosen:
        print("no contract of the report is chosen", file=sys.stderr)
        return 1
    started = time.perf_counter()
    outcomes = run_contracts(options.fleet, chosen, seeds_of(steps))
    differences = compare([step for step in steps if _contract(step) in chosen], outcomes)
    kinds = Counter(map(kind_of, outcomes.values()))
    counted = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    print("\n".join(differences) if differences else "no difference")
    print(
        f"{len(chosen)} contracts, {len(outcomes)} results ({counted}), {len(differences)} differ"
    )
    print(f"the oracle took {time.perf_counter() - started:.1f} s")
    return 1 if differences else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compare a run with a plain one, by digest.")
    parser.add_argument("report", type=Path, help="what `batchwright run --json FILE` wrote")
    parser.add_argument("--fleet", type=Path, default=Path(__file__).parent, help="its folder")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--contracts", metavar="PATTERN", help="those whose id matches, as 'Q01*'")
    which.add_argument("--sample", type=int, default=10, metavar="N", help="N of them (10)")
    which.add_argument("--all", action="store_true", help="all of them: it takes many minutes")
    return parser.parse_args()


def _contract(step: Mapping[str, Any]) -> str:
    return str(step["address"]).partition("/")[0]


if __name__ == "__main__":
    if sys.argv[1:] == ["--serve"]:
        serve()
    else:
        sys.exit(main())
