"""How the Python road looks to a type checker: read by mypy, never run.

Every `type: ignore` marks a wrong use that must be flagged; mypy warns of one that is not needed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, assert_type

from batchwright import Contract, grid, step


def load(path: Path) -> list[str]:
    return [str(path)]


def split(rows: list[str]) -> tuple[list[str], list[str], list[int], list[int]]:
    return rows, rows, [], []


def train(X: list[str], y: list[int], *, C: float = 1.0) -> dict[str, float]:
    return {"C": C}


def score(model: dict[str, float], X: list[str], y: list[int]) -> float:
    return 0.0


class Corpus:
    def __init__(self, language: str) -> None:
        self.language = language

    def amounts(self, text: str) -> list[float]:
        return []


@step
def shout(text: str) -> str:
    return text.upper()


@step(ttl=60, outputs=2)
def halves(text: str) -> tuple[str, str]:
    return text, text


# Composition, unpacking and projections
rows = step(load)(Path("a.csv"))
assert_type(rows, list[str])
Xa, Xb, ya, yb = step(split, outputs=4)(rows)
assert_type(ya, list[int])
model = step(train)(Xa, ya, C=0.5)
assert_type(step(score)(model, Xb, yb), float)
assert_type(rows[0], str)
assert_type(shout(rows[0]), str)
left, right = halves("ab")
assert_type(left, str)

# The plain call
assert_type(shout.call("a"), str)

# Objects and methods of results
corpus = step(Corpus)(language="es")
assert_type(corpus.amounts("text"), list[float])
assert_type(step(Corpus.amounts)(corpus, "text"), list[float])
assert_type(step(corpus.amounts, cache=False)("text"), list[float])

# Contracts and grids
contract = Contract("a", model)
named = Contract("b", model=model, rows=rows, depends_on=["a", contract])
assert_type(grid(C=[0.1, 1], seed=range(5)), dict[str, dict[str, Any]])
fleet = {name: step(train)(Xa, ya, **p) for name, p in grid(C=[0.1, 1]).items()}
assert_type(fleet, dict[str, dict[str, float]])

# Wrong uses
step(load)("a.csv")  # type: ignore[arg-type]
step(load)()  # type: ignore[call-arg]
step(train)(Xa, ya, penalty=1)  # type: ignore[call-arg]
step(train)(ya, Xa)  # type: ignore[arg-type]
step(score)(rows, Xb, yb)  # type: ignore[arg-type]
shout(1)  # type: ignore[arg-type]
shout.call(1)  # type: ignore[arg-type]
step(Corpus)(langage="es")  # type: ignore[call-arg]
corpus.amount("text")  # type: ignore[attr-defined]
corpus.amounts(1)  # type: ignore[arg-type]
one, two, three = halves("ab")  # type: ignore[misc]
step(3)  # type: ignore[call-overload]
step(load, outputs="4")  # type: ignore[call-overload]
step(ttl="60")  # type: ignore[call-overload]
step(load, colour=1)  # type: ignore[call-overload]
Contract(3, model)  # type: ignore[arg-type]
Contract("a", model, depends_on=[3])  # type: ignore[list-item]
grid([1, 2])  # type: ignore[call-arg]
grid(C=3)  # type: ignore[arg-type]
