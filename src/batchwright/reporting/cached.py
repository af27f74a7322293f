"""The cache of a fleet: what it holds by method, making room in it, whether it is sound."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from batchwright.contracts.nearest import hint
from batchwright.errors import InvalidDuration
from batchwright.execution.telling import counted, seconds
from batchwright.reporting.screen import as_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from batchwright.caching.entry import EntryInfo
    from batchwright.caching.statistics import CheckReport
    from batchwright.reporting.request import Request
    from batchwright.reporting.screen import Screen

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 7 * 86400.0}
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_DERIVATION = "derivation:"


class MethodHeld(msgspec.Struct, frozen=True):
    """What the cache holds of one method: results, bytes as stored, first and last made.

    `notes` are entries that tell how a result is derived and hold no value; `seconds` is what
    computing the results took. `oldest` and `newest` are seconds since the epoch.
    """

    method: str
    results: int
    notes: int
    bytes: int
    seconds: float
    oldest: float
    newest: float


def stats_and_tell(request: Request, screen: Screen) -> int:
    """Show what the cache holds; the exit code is 0."""
    with request.open_cache() as cache:
        held = held_by_method(cache.entries())
    screen.say(stats_lines(held))
    if screen.wants_json:
        screen.write_json(msgspec.json.format(msgspec.json.encode(held), indent=1).decode())
    return 0


def clear_and_tell(
    request: Request,
    screen: Screen,
    *,
    method: str | None,
    older_than: str | None,
    agreed: Callable[[str], bool],
) -> int:
    """Drop entries, once the user has agreed to the question put; 1 when not agreed."""
    age = None if older_than is None else duration(older_than)
    with request.open_cache() as cache:
        methods = {info.method for info in cache.entries()}
        if method is not None and method not in methods:
            screen.say([f"the cache holds nothing of '{method}'{hint(method, methods)}"])
            return 0
        what = "all entries" if method is None else f"the entries of {method}"
        what += "" if older_than is None else f" older than {older_than}"
        if not agreed(f"Drop {what}?"):
            screen.say(["nothing was dropped"])
            return 1
        dropped = cache.clear(method, age)
    screen.say([f"dropped {counted(dropped, 'entry', 'entries')}"])
    return 0


def check_and_tell(request: Request, screen: Screen) -> int:
    """Read every entry and drop what was altered; the exit code is 1 when something was."""
    with request.open_cache() as cache:
        report = cache.check()
    screen.say(soundness_lines(report))
    if screen.wants_json:
        screen.write_json(msgspec.json.format(msgspec.json.encode(report), indent=1).decode())
    return 0 if report.clean else 1


def held_by_method(entries: Iterable[EntryInfo]) -> list[MethodHeld]:
    """What the entries amount to by method, the largest first."""
    by_method: dict[str, list[EntryInfo]] = {}
    for info in entries:
        by_method.setdefault(info.method, []).append(info)
    held = []
    for method, infos in by_method.items():
        results = [info for info in infos if not info.key.startswith(_DERIVATION)]
        held.append(
            MethodHeld(
                method,
                len(results),
                len(infos) - len(results),
                sum(info.size for info in infos),
                sum(info.seconds or 0.0 for info in results),
                min(info.created for info in infos),
                max(info.created for info in infos),
            )
        )
    return sorted(held, key=lambda each: (-each.bytes, each.method))


def stats_lines(held: Sequence[MethodHeld]) -> list[str]:
    """A table of what is held, with the sum below it."""
    if not held:
        return ["the cache is empty"]
    rows = [("method", "results", "size", "work kept", "oldest", "newest")]
    rows += [
        (
            each.method or "(put by hand)",
            f"{each.results:,}",
            size(each.bytes),
            seconds(each.seconds * 1e3),
            _day(each.oldest),
            _day(each.newest),
        )
        for each in held
    ]
    results = sum(each.results for each in held)
    total = (
        f"{counted(results, 'result')} of {counted(len(held), 'method')}, "
        f"{size(sum(each.bytes for each in held))}, "
        f"{seconds(1e3 * sum(each.seconds for each in held))} of work"
    )
    return [*as_table(rows, right=(1, 2, 3)), total]


def soundness_lines(report: CheckReport) -> list[str]:
    """What checking found, in words."""
    lines = [f"{counted(report.entries, 'entry', 'entries')} read, {size(report.bytes)}"]
    found = {
        "altered, dropped": report.altered,
        "of no entry, removed (files)": report.orphans,
        "set aside (damaged index files)": report.damaged,
        "expired": report.expired,
    }
    lines.extend(f"  {count:,} {what}" for what, count in found.items() if count)
    lines.append("the cache is sound" if report.clean else "the rest is sound")
    return lines


def duration(text: str) -> float:
    """A time such as `7d`, `12h`, `30m`, `90s` or `2w` in seconds. Raises `InvalidDuration`."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise InvalidDuration(
            f"'{text}' is no duration: write a number and a unit, such as 7d, 12h, 30m or 90s"
        )
    return float(found[1]) * _UNITS[found[2]]


def size(count: float) -> str:
    """A number of bytes as a person reads it."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000 or unit == "GB":
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
        count /= 1000
    raise AssertionError  # the last unit takes everything


def _day(moment: float) -> str:
    return datetime.fromtimestamp(moment).astimezone().strftime("%Y-%m-%d %H:%M")
