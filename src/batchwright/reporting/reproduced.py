"""Running kept steps afresh, told step by step where one does not repeat."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from batchwright.errors import InvalidSample
from batchwright.execution.telling import counted, seconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from batchwright.execution.reproduce import Reproduced
    from batchwright.reporting.request import Request
    from batchwright.reporting.screen import Screen


def reproduce_and_tell(request: Request, sample: str, seed: int | None, screen: Screen) -> int:
    """Reproduce a sample and tell what does not repeat.

    The exit code is 1 when a step gave another value, or failed. Raises `InvalidSample`.
    """
    from batchwright.execution.reproduce import reproduce
    from batchwright.execution.runner import plan

    share = sample_size(sample)
    if seed is None:
        seed = random.SystemRandom().randrange(1_000_000)

    def told(one: Reproduced) -> None:
        if one.verdict != "same" or screen.verbose:
            why = f": {one.why}" if one.why else ""
            screen.say([f"  {one.verdict:<14} {one.method} ({one.address}){why}"])

    with plan(request.fleet, **request.options) as prepared:
        verdicts = reproduce(prepared, share, seed, told)
    screen.say(reproduced_lines(verdicts, seed))
    if screen.wants_json:
        report = {"seed": seed, "steps": verdicts}
        screen.write_json(msgspec.json.format(msgspec.json.encode(report), indent=1).decode())
    return int(any(one.verdict in ("differs", "failed") for one in verdicts))


def sample_size(text: str) -> float | int:
    """`5%` as a share between 0 and 1 (a float), `20` as a number. Raises `InvalidSample`."""
    try:
        if text.endswith("%"):
            share = float(text[:-1]) / 100
            if 0 < share <= 1:
                return share
        elif int(text) > 0:
            return int(text)
    except ValueError:
        pass
    raise InvalidSample(
        f"--sample {text}: write a share such as 5%, at most 100%, or a number of steps such as 20"
    )


def reproduced_lines(verdicts: Sequence[Reproduced], seed: int) -> list[str]:
    """The verdicts counted, and what follows from them."""
    if not verdicts:
        return [
            "nothing to reproduce: no step that is meant to repeat is known; run the fleet first"
        ]
    counts = Counter(one.verdict for one in verdicts)
    took = seconds(sum(one.time_ms for one in verdicts))
    told = ", ".join(f"{count:,} {_NAMES[verdict]}" for verdict, count in counts.items())
    lines = [f"{counted(len(verdicts), 'step')} run afresh in {took} (seed {seed}): {told}"]
    if counts["differs"]:
        methods = sorted({one.method for one in verdicts if one.verdict == "differs"})
        lines.append(
            f"{', '.join(methods)}: noted as not repeating; find what else it depends on, or say "
            "repeats=False when it is meant"
        )
    return lines


_NAMES = {
    "same": "the same",
    "differs": "other than before",
    "failed": "failed",
    "cannot compare": "not to be compared",
}
