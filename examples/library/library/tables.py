"""Tables drawn with characters, in the two ways in which the documentation has them."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from library.areas import area_of
from library.pages import pages_of

if TYPE_CHECKING:
    from collections.abc import Iterator

BORDER = re.compile(r"\+(?:[-=]+\+){2,}")
RULE = re.compile(r"\s*(?:-{3,}(?: +-{3,})+|={3,}(?: +={3,})+)\s*")

Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Table:
    """A table: the page it stands on and its rows, cells stripped of white space."""

    page: str
    rows: Rows


class Tables:
    """Grids with borders of plus signs and dashes, and columns under a ruled heading."""

    def parse(self, text: str, sector_id: str) -> list[Table]:
        """The tables of an area's pages.

        Raises ValueError when there is none.
        """
        found = [
            Table(page.name, rows)
            for page in pages_of(text)
            if area_of(page) == sector_id
            for rows in (*grids(page.body), *ruled(page.body))
        ]
        if not found:
            message = f"no table on the pages of {sector_id}"
            raise ValueError(message)
        return found


def grids(text: str) -> Iterator[Rows]:
    """The rows of each grid in a text; pictures of boxes are not grids."""
    lines = [line.strip() for line in text.splitlines()]
    start = 0
    while start < len(lines):
        end = start
        while end < len(lines) and lines[end][:1] in {"+", "|"}:
            end += 1
        rows = grid_rows(lines[start:end])
        if rows:
            yield rows
        start = max(end, start + 1)


def grid_rows(lines: list[str]) -> Rows:
    """The rows of a grid given whole, from border to border; none when it is not one."""
    if len(lines) < 3 or not BORDER.fullmatch(lines[0]) or not BORDER.fullmatch(lines[-1]):
        return ()
    columns = lines[0].count("+") - 1
    rows: list[tuple[str, ...]] = []
    open_row: list[str] = [""] * columns
    for line in lines[1:]:
        cells = line.strip("|").split("|")
        if line.startswith("+") or not line.strip("|= "):
            rows.append(tuple(" ".join(cell.split()) for cell in open_row))
            open_row = [""] * columns
        elif len(cells) == columns:
            open_row = [f"{above} {cell}" for above, cell in zip(open_row, cells, strict=True)]
        else:
            return ()
    return tuple(rows)


def ruled(text: str) -> Iterator[Rows]:
    """The heading and the rows of each table whose heading has a rule below each column."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if number and lines[number - 1].strip() and RULE.fullmatch(line):
            starts = [column.start() for column in re.finditer(r"[-=]+", line)]
            below = itertools.takewhile(_is_row, lines[number + 1 :])
            rows = [cells(row, starts) for row in below]
            if rows:
                yield (cells(lines[number - 1], starts), *rows)


def _is_row(line: str) -> bool:
    return bool(line.strip()) and not RULE.fullmatch(line)


def cells(line: str, starts: list[int]) -> tuple[str, ...]:
    """A line cut where the columns start."""
    return tuple(
        line[start:end].strip() for start, end in itertools.pairwise([*starts, len(line) + 1])
    )
