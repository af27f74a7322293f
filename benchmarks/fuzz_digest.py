"""Looks for two values with one digest, and for one value with two.

    python benchmarks/fuzz_digest.py --values 1000000 --seed 1

Draws random plans of values; each plan has a text that tells exactly what it is, made without the
digest's help. From a plan a value is built twice, with all that must not count drawn afresh: the
order of dicts and sets, what is shared, memory order, strides, byte order, the bits of NaNs. Found
are

- collisions: two plans that differ in their text and share a digest;
- unstable values: one plan with two digests, in this process, after a round trip through pickle, or
  in a second process with another hash seed;
- refused values: plain values that the digest does not take.

Exit code 1 when there is any. Plans are small and of similar parts, where collisions are likely.
"""

# ruff: noqa: S311  # random numbers that are data, not secrets

from __future__ import annotations

import argparse
import collections
import datetime as dt
import decimal
import enum
import fractions
import hashlib
import math
import os
import pickle
import random
import struct
import subprocess
import sys
import tempfile
import time
import types
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from batchwright.caching import code, digest_arrays  # noqa: F401  # no edit meanwhile may matter
from batchwright.caching.digest import digest, fixed_code
from batchwright.errors import BatchwrightError

# --- Plans --------------------------------------------------------------------------------------


class Plan(NamedTuple):
    """A value to build: its kind, what it is made of, and a text that no other plan has."""

    kind: str
    content: Any
    text: str


class Colour(enum.Enum):
    RED = 1
    BLUE = "i1;"


class Pair(NamedTuple):
    left: Any
    right: Any


@dataclass
class Point:
    left: Any
    right: Any


@dataclass(frozen=True)
class FrozenPoint:
    left: Any
    right: Any


class OwnInt(int):
    pass


class OwnDict(dict):  # type: ignore[type-arg]
    pass


INTS = (0, 1, -1, 2, 10, 255, 256, 2**31, 2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**64, 10**40)
FLOATS = (0.0, -0.0, 1.0, -1.0, 0.5, 2.0, math.inf, -math.inf, math.nan, 1e300, 5e-324, 255.0)
STRINGS = (
    "",
    "a",
    "b",
    "ab",
    "1",
    "i1;",
    "s1:a",
    "[1:",
    "{0:",
    "#",
    "N",
    "é",
    "\ud800",
    "\0",
    "a" * 40,
)
NAMES = ("a", "b", "left", "right")
CONTAINERS = (
    *("list", "list", "tuple", "dict", "dict", "dict", "set", "frozenset", "deque", "ordered"),
    *("default", "counter", "namespace", "pair", "point", "frozen", "own dict", "long"),
)
DTYPES = (
    "i1",
    "i2",
    "i4",
    "i8",
    "u1",
    "u8",
    "f2",
    "f4",
    "f8",
    "c8",
    "c16",
    "?",
    "U2",
    "S2",
    "M8[D]",
    "M8[s]",
    "O",
)


def draw(rng: random.Random, depth: int = 0) -> Plan:
    """A random plan, at most four levels deep."""
    if depth < 4 and rng.random() < (0.7 if depth == 0 else 0.35):
        return _draw_container(rng, depth)
    return _draw_leaf(rng)


def _leaf(kind: str, content: Any, text: str | None = None) -> Plan:
    return Plan(kind, content, f"{kind}<{content!r}>" if text is None else f"{kind}<{text}>")


def _draw_leaf(rng: random.Random) -> Plan:  # noqa: C901  # one case a kind
    match rng.randrange(24):
        case 0:
            return _leaf("constant", rng.choice([None, True, False, ..., NotImplemented]))
        case 1 | 2 | 3:
            number = rng.choice(INTS) if rng.random() < 0.5 else rng.randrange(-1000, 1000)
            return _leaf("int", number + rng.choice((0, 0, 1)))
        case 4 | 5 | 6:
            return _leaf("float", rng.choice(FLOATS) if rng.random() < 0.5 else rng.random())
        case 7 | 8 | 9 | 10:
            return _leaf("str", _string(rng))
        case 11 | 12:
            kind = rng.choice(["bytes", "bytearray", "memoryview"])
            return _leaf(kind, _string(rng).encode("utf-8", "surrogatepass"))
        case 13:
            return _leaf("complex", (rng.choice(FLOATS), rng.choice(FLOATS)))
        case 14:
            return _leaf("decimal", f"{rng.randrange(100)}E{rng.randrange(-3, 3)}")
        case 15:
            return _leaf(
                "fraction", str(fractions.Fraction(rng.randrange(-9, 9), rng.randrange(1, 9)))
            )
        case 16:
            return _leaf(
                "date", (2020 + rng.randrange(5), 1 + rng.randrange(12), rng.randrange(1, 28))
            )
        case 17:
            zone = rng.choice([None, 0, 60, -90])
            fields = (
                2024,
                1 + rng.randrange(12),
                1,
                rng.randrange(24),
                rng.randrange(2),
                rng.randrange(3),
            )
            return _leaf("datetime", (fields, zone, rng.randrange(2)))
        case 18:
            return _leaf("timedelta", (rng.randrange(-2, 3), rng.randrange(3), rng.randrange(3)))
        case 19:
            return _leaf("uuid", rng.getrandbits(6))
        case 20:
            return _leaf("range", tuple(rng.randrange(1, 6) for _ in range(3)))
        case 21:
            return _leaf("enum", rng.choice(list(Colour)).name)
        case 22:
            return _leaf("own int", rng.randrange(10))
        case _:
            return _draw_array(rng)


def _string(rng: random.Random) -> str:
    if rng.random() < 0.02:
        return rng.choice("ab") * rng.randrange(1000, 1050)
    return "".join(rng.choice(STRINGS) for _ in range(rng.randrange(3)))


def _draw_array(rng: random.Random) -> Plan:
    dtype = rng.choice(DTYPES)
    shape = tuple(rng.randrange(0, 4) for _ in range(rng.randrange(0, 3)))
    size = math.prod(shape)
    scalar = shape == () and dtype != "O" and rng.random() < 0.5
    if dtype[0] in "fc":
        values: list[Any] = [
            rng.choice([0.0, -0.0, 1.0, 0.5, math.nan, math.inf]) for _ in range(size)
        ]
    elif dtype == "O":
        plans = [_draw_leaf(rng) for _ in range(size)]
        text = f"O{shape}" + "".join(plan.text for plan in plans)
        return Plan("array", (dtype, shape, plans), f"array<{text}>")
    elif dtype[0] in "US":
        values = [rng.choice(["", "a", "b", "ab"]) for _ in range(size)]
    else:
        values = [rng.randrange(2 if dtype == "?" else 100) for _ in range(size)]
    return _leaf("scalar" if scalar else "array", (dtype, shape, values))


def _draw_container(rng: random.Random, depth: int) -> Plan:
    kind = rng.choice(CONTAINERS)
    if kind in ("pair", "point", "frozen"):
        parts = [draw(rng, depth + 1) for _ in range(2)]
    elif kind == "long":
        # Beyond what is held at once: the same few parts over and over.
        few = [_draw_leaf(rng) for _ in range(3)]
        parts = [rng.choice(few) for _ in range(rng.choice((200, 4095, 4096, 4097, 8193)))]
        if rng.random() < 0.98:
            parts = parts[: rng.randrange(20)]
        kind = "list"
    elif kind in ("set", "frozenset"):
        parts = _unlike([_draw_key(rng) for _ in range(rng.randrange(5))])
        return Plan(kind, parts, f"{kind}<{sorted(part.text for part in parts)}>")
    elif kind in ("dict", "ordered", "default", "counter", "own dict", "namespace"):
        return _draw_mapping(rng, kind, depth)
    else:
        parts = [draw(rng, depth + 1) for _ in range(rng.randrange(5))]
    return Plan(kind, parts, f"{kind}<{[part.text for part in parts]}>")


def _draw_mapping(rng: random.Random, kind: str, depth: int) -> Plan:
    count = rng.randrange(5)
    if kind == "namespace":
        keys = [_leaf("str", name) for name in rng.sample(NAMES, rng.randrange(4))]
    elif kind == "counter" or rng.random() < 0.5:
        keys = _unlike([_leaf("str", _string(rng)) for _ in range(count)])
    else:
        keys = _unlike([_draw_key(rng) for _ in range(count)])
    values = [
        _leaf("int", rng.randrange(5)) if kind == "counter" else draw(rng, depth + 1) for _ in keys
    ]
    pairs = list(zip(keys, values, strict=True))
    texts = [(key.text, value.text) for key, value in pairs]
    return Plan(kind, pairs, f"{kind}<{texts if kind == 'ordered' else sorted(texts)}>")


def _draw_key(rng: random.Random) -> Plan:
    while True:
        plan = _draw_leaf(rng)
        if plan.kind in ("bytearray", "memoryview", "array"):
            continue
        if rng.random() < 0.15:
            return Plan("tuple", [plan], f"tuple<{[plan.text]}>")
        return plan


def _unlike(plans: list[Plan]) -> list[Plan]:
    """Those that Python keeps apart as keys: 1, True and 1.0 are one to it."""
    kept: dict[Any, Plan] = {}
    for plan in plans:
        kept.setdefault(build(plan, random.Random(0)), plan)
    return list(kept.values())


# --- Building -----------------------------------------------------------------------------------


def build(plan: Plan, rng: random.Random) -> Any:
    """The value of a plan; `rng` decides all that must not count."""
    return _BUILDERS[plan.kind](plan.content, rng)


def _float(value: float, rng: random.Random) -> float:
    if value == value:
        return value
    sign, payload = rng.choice((0x7FF8, 0xFFF8)) << 48, rng.getrandbits(20)
    return float(struct.unpack(">d", struct.pack(">Q", sign | payload))[0])


def _sequence(plans: list[Plan], rng: random.Random) -> list[Any]:
    shared: dict[str, Any] = {}
    share = rng.random() < 0.5
    values = []
    for plan in plans:
        if not (share and plan.text in shared):
            shared[plan.text] = build(plan, rng)
        values.append(shared[plan.text])
    return values


def _shuffled(parts: list[Any], rng: random.Random) -> list[Any]:
    return rng.sample(parts, len(parts))


def _members(plans: list[Plan], rng: random.Random) -> list[Any]:
    # Never shared: a set holds two NaNs, but one NaN only once.
    return [build(plan, rng) for plan in _shuffled(plans, rng)]


def _mapping(pairs: list[tuple[Plan, Plan]], rng: random.Random) -> dict[Any, Any]:
    return {build(key, rng): build(value, rng) for key, value in _shuffled(pairs, rng)}


def _ordered(pairs: list[tuple[Plan, Plan]], rng: random.Random) -> Any:
    return collections.OrderedDict((build(key, rng), build(value, rng)) for key, value in pairs)


def _datetime(content: Any, _: random.Random) -> dt.datetime:
    fields, zone, fold = content
    tzinfo = None if zone is None else dt.timezone(dt.timedelta(minutes=zone))
    return dt.datetime(*fields, tzinfo=tzinfo).replace(fold=fold)


def _array(content: Any, rng: random.Random) -> Any:
    dtype, shape, values = content
    if dtype == "O":
        array = np.empty(len(values), object)
        array[:] = [build(plan, rng) for plan in values]
        return array.reshape(shape)
    array = np.array(values, dtype="i8" if dtype[0] == "M" else None).astype(dtype).reshape(shape)
    if dtype[0] == "f" and rng.random() < 0.5:
        array = np.where(np.isnan(array), -array, array).astype(dtype)
    match rng.randrange(5):
        case 0:
            return np.array(array, order="F")
        case 1:
            return np.stack([array, array], axis=-1)[..., 0]
        case 2:
            return array.astype(array.dtype.newbyteorder("S"))
        case 3 if array.ndim:
            return array[::-1].copy()[::-1]
    return array


def _scalar(content: Any, rng: random.Random) -> Any:
    return _array(content, random.Random(4))[()]


_BUILDERS: dict[str, Any] = {
    "constant": lambda content, _: content,
    "int": lambda content, _: content,
    "float": _float,
    "str": lambda content, _: content,
    "bytes": lambda content, _: content,
    "bytearray": lambda content, _: bytearray(content),
    "memoryview": lambda content, _: memoryview(content),
    "complex": lambda content, rng: complex(_float(content[0], rng), _float(content[1], rng)),
    "decimal": lambda content, _: decimal.Decimal(content),
    "fraction": lambda content, _: fractions.Fraction(content),
    "date": lambda content, _: dt.date(*content),
    "datetime": _datetime,
    "timedelta": lambda content, _: dt.timedelta(*content),
    "uuid": lambda content, _: uuid.UUID(int=content),
    "range": lambda content, _: range(*content),
    "enum": lambda content, _: Colour[content],
    "own int": lambda content, _: OwnInt(content),
    "array": _array,
    "scalar": _scalar,
    "list": _sequence,
    "tuple": lambda parts, rng: tuple(_sequence(parts, rng)),
    "set": lambda parts, rng: set(_members(parts, rng)),
    "frozenset": lambda parts, rng: frozenset(_members(parts, rng)),
    "deque": lambda parts, rng: collections.deque(_sequence(parts, rng)),
    "pair": lambda parts, rng: Pair(*_sequence(parts, rng)),
    "point": lambda parts, rng: Point(*_sequence(parts, rng)),
    "frozen": lambda parts, rng: FrozenPoint(*_sequence(parts, rng)),
    "dict": _mapping,
    "own dict": lambda pairs, rng: OwnDict(_mapping(pairs, rng)),
    "default": lambda pairs, rng: collections.defaultdict(list, _mapping(pairs, rng)),
    "counter": lambda pairs, rng: collections.Counter(_mapping(pairs, rng)),
    "namespace": lambda pairs, rng: types.SimpleNamespace(**_mapping(pairs, rng)),
    "ordered": _ordered,
}

# --- The search ---------------------------------------------------------------------------------


@dataclass
class Findings:
    """What was found, with an example of each kind."""

    collisions: int = 0
    unstable: int = 0
    refused: int = 0
    distinct: int = 0
    examples: dict[str, str] = None  # type: ignore[assignment]

    def note(self, kind: str, example: str) -> None:
        """Counts one finding."""
        setattr(self, kind, getattr(self, kind) + 1)
        self.examples = self.examples or {}
        self.examples.setdefault(kind, example[:500])

    @property
    def any(self) -> bool:
        """Whether there is anything to mend."""
        return bool(self.collisions or self.unstable or self.refused)


def search(count: int, seed: int, others: Path | None = None) -> Findings:
    """Draws `count` values; `others` holds a second process's digests of the same."""
    rng = random.Random(seed)
    findings = Findings()
    texts: dict[bytes, bytes] = {}
    stream = others.open("rb") if others is not None else None
    with fixed_code():
        for number in range(count):
            plan = draw(rng)
            first, second = build(plan, rng), build(plan, rng)
            try:
                key = digest(first)
                same = digest(second) == key
                if number % 4 == 0 and "memoryview" not in plan.text:
                    same = same and digest(pickle.loads(pickle.dumps(first))) == key  # noqa: S301
            except BatchwrightError as error:
                findings.note("refused", f"{plan.text}: {error}")
                continue
            if not same:
                findings.note("unstable", plan.text)
            short = bytes.fromhex(key)
            if stream is not None and stream.read(32) != short:
                findings.note("unstable", f"between processes: {plan.text}")
            text = hashlib.blake2b(
                plan.text.encode("utf-8", "surrogatepass"), digest_size=16
            ).digest()
            if texts.setdefault(short, text) != text:
                findings.note("collisions", plan.text)
    findings.distinct = len(texts)
    if stream is not None:
        stream.close()
    return findings


def write_digests(count: int, seed: int, target: Path) -> None:
    """The digests of the same values in order, 32 bytes each; of refused ones none."""
    rng = random.Random(seed)
    with target.open("wb") as stream, fixed_code():
        for _ in range(count):
            plan = draw(rng)
            value, _ = build(plan, rng), build(plan, rng)
            try:
                stream.write(bytes.fromhex(digest(value)))
            except BatchwrightError:
                continue


def main(arguments: list[str] | None = None) -> int:
    """Runs the search, prints figures, and gives the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--values", type=int, default=1_000_000, help="how many to draw")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.write is not None:
        write_digests(options.values, options.seed, options.write)
        return 0
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "digests"
        command = [sys.executable, __file__, "--values", str(options.values), "--seed"]
        seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
        subprocess.run(  # noqa: S603
            [*command, str(options.seed), "--write", str(target)],
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )
        findings = search(options.values, options.seed, target)
    took = time.perf_counter() - begun
    print(f"values      {options.values:,} ({findings.distinct:,} distinct), {took:,.0f} s")
    print(f"collisions  {findings.collisions:,}")
    print(f"unstable    {findings.unstable:,}")
    print(f"refused     {findings.refused:,}")
    for kind, example in (findings.examples or {}).items():
        print(f"{kind}: {example!r}")
    return 1 if findings.any else 0


if __name__ == "__main__":
    sys.exit(main())
