"""Write the fleet's contracts: 30 questions put to each of 10 areas.

    python make_contracts.py [FOLDER]

A question belongs to a plan, the methods that answer it. Most methods read the whole text only,
so that the 4,200 calls of the 300 contracts are some three hundred different ones.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from plans import METHODS, PLANS, Plan
from questions import QUESTIONS, Question

AREAS = {
    "PA01": "Text",
    "PA02": "Data types and numbers",
    "PA03": "Files and persistence",
    "PA04": "Operating system and concurrency",
    "PA05": "Networking",
    "PA06": "Internet data and markup",
    "PA07": "Interfaces, graphics and sound",
    "PA08": "Development",
    "PA09": "Runtime and import",
    "PA10": "The language",
}


class Level(NamedTuple):
    """A phase: what it is called in a contract, its level, its output, what it requires."""

    phase: str
    level: str
    target: str
    requires: tuple[str, ...]


LEVELS = (
    Level("observe", "N1-EMP", "raw_facts", ()),
    Level("infer", "N2-INF", "inferences", ("raw_facts",)),
    Level("audit", "N3-AUD", "audits", ("raw_facts", "inferences")),
)


def contract(number: int, question: Question, area: str) -> dict[str, Any]:
    """The contract of a question and an area."""
    question_id = f"Q{number:03}"
    plan = PLANS[question.plan]
    return {
        "identity": {
            "contract_id": f"{question_id}_{area}",
            "contract_type": plan.type,
            "question_id": question_id,
            "sector_id": area,
            "area": AREAS[area],
        },
        "question_context": {"question": question.text, "keywords": list(question.keywords)},
        "method_binding": {"plan": question.plan, "execution_phases": phases(plan)},
        "error_handling": {"on_method_failure": "continue"},
    }


def phases(plan: Plan) -> dict[str, Any]:
    """The three phases of a plan, each after those before it."""
    found: dict[str, Any] = {}
    for level, names in zip(LEVELS, plan.names, strict=True):
        found[level.phase] = {
            "level": level.level,
            "dependencies": list(found),
            "output_target": level.target,
            "methods": [method(name, level) for name in names],
        }
    return found


def method(name: str, level: Level) -> dict[str, Any]:
    """The entry of one method, with its vetoes where it has any."""
    spec = METHODS[name]
    class_name, method_name = spec.call.split(".")
    entry: dict[str, Any] = {
        "class_name": class_name,
        "method_name": method_name,
        "level": level.level,
        "provides": name,
        "requires": list(level.requires),
        "confidence_score": spec.confidence,
    }
    if spec.args:
        entry["args"] = spec.args
    if spec.vetoes:
        entry["veto_conditions"] = {veto.name: veto.as_json() for veto in spec.vetoes}
    return entry


def contracts() -> dict[str, dict[str, Any]]:
    """All contracts by id."""
    made = [
        contract(number, question, area)
        for number, question in enumerate(QUESTIONS, 1)
        for area in AREAS
    ]
    return {one["identity"]["contract_id"]: one for one in made}


def write(folder: Path) -> None:
    """Write each contract to a file of its own, and remove the files of those no longer made."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {f"{name}.json": one for name, one in contracts().items()}
    for old in folder.glob("*.json"):
        if old.name not in made:
            old.unlink()
    for name, one in made.items():
        text = json.dumps(one, indent=1, ensure_ascii=False) + "\n"
        (folder / name).write_bytes(text.encode("utf-8"))


# --- how many there are --------------------------------------------------------------------


def calls() -> int:
    """How many calls the contracts make."""
    return sum(len(PLANS[question.plan]) for question in QUESTIONS) * len(AREAS)


def unique_calls() -> int:
    """How many of them differ: by method, and by the contents of the arguments that it takes."""
    distinct = {
        call
        for number, question in enumerate(QUESTIONS, 1)
        for area in AREAS
        for call in _calls_of(PLANS[question.plan], str(number), area)
    }
    return len(distinct)


def _calls_of(plan: Plan, question: str, area: str) -> list[tuple[Any, ...]]:
    """The calls of a contract, each told by its method and by where its arguments come from."""
    values: dict[str, Any] = {"sector_id": area, "question_context": question}
    found: list[tuple[Any, ...]] = []
    for level, names in zip(LEVELS, plan.names, strict=True):
        phase = []
        for name in names:
            spec = METHODS[name]
            arguments = tuple(values.get(argument, argument) for argument in spec.takes)
            phase.append((name, spec.call, arguments))
        found += [(call, arguments) for _, call, arguments in phase]
        values[level.target] = tuple(sorted(phase))
    return found


def main() -> None:
    """Write the contracts beside this script, or into the folder named, and count."""
    default = Path(__file__).with_name("contracts")
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else default)
    types = Counter(PLANS[question.plan].type for question in QUESTIONS)
    used = {name for question in QUESTIONS for name in PLANS[question.plan].all}
    classes = {METHODS[name].call.partition(".")[0] for name in used}
    print(f"{len(contracts())} contracts of {len({q.plan for q in QUESTIONS})} plans")
    print(", ".join(f"{kind} {count * len(AREAS)}" for kind, count in sorted(types.items())))
    print(f"{calls():,} calls of {len(used)} methods of {len(classes)} classes")
    print(f"{unique_calls()} of them different")


if __name__ == "__main__":
    main()
