"""Where a command's words go: results to standard output, the rest to standard error."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from batchwright.errors import UnwritableOutput

if TYPE_CHECKING:
    from collections.abc import Iterable

STANDARD_OUTPUT = "-"


class Screen:
    """Writes a command's lines and its JSON.

    `json` is a file, or `-` for `json_stream`, by default standard output; then it stands there
    alone and the lines go to standard error. `quiet` leaves out all lines; `verbose` is for
    those who choose what to say.

    Raises `UnwritableOutput` at once when the JSON could not be written in the end.
    """

    def __init__(
        self,
        *,
        json: str | None = None,
        quiet: bool = False,
        verbose: bool = False,
        json_stream: TextIO | None = None,
    ) -> None:
        self.quiet = quiet
        self.verbose = verbose
        self._json = json
        self._json_stream = json_stream
        if json is not None and json != STANDARD_OUTPUT:
            _refuse_unwritable(Path(json))

    @property
    def wants_json(self) -> bool:
        """Whether JSON is asked for at all."""
        return self._json is not None

    @property
    def is_terminal(self) -> bool:
        """Whether somebody watches: progress goes to standard error."""
        return sys.stderr.isatty()

    def say(self, lines: Iterable[str]) -> None:
        """Lines that are the command's result."""
        if not self.quiet:
            for line in lines:
                click.echo(line, err=self._json == STANDARD_OUTPUT)

    def progress(self, line: str) -> None:
        """A line of passing interest."""
        if not self.quiet:
            click.echo(line, err=True)

    def write_json(self, text: str) -> None:
        """The command's result for machines, where it is asked for."""
        if self._json is None:
            return
        if self._json == STANDARD_OUTPUT:
            click.echo(text.rstrip("\n"), file=self._json_stream)
            return
        try:
            Path(self._json).write_text(text.rstrip("\n") + "\n", encoding="utf-8")
        except OSError as error:
            raise _unwritable(Path(self._json), error.strerror or str(error)) from error


def _refuse_unwritable(path: Path) -> None:
    if path.is_dir():
        raise _unwritable(path, "it is a folder")
    if not path.absolute().parent.is_dir():
        raise _unwritable(path, f"there is no folder {path.absolute().parent}")
    if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise _unwritable(path, "no right to write there")


def _unwritable(path: Path, why: str) -> UnwritableOutput:
    return UnwritableOutput(f"--json {path}: cannot be written: {why}")


def set_aside_standard_output() -> TextIO:
    """Standard output for one writer alone; what anybody else writes goes to standard error.

    Steps print what they like, and so do programs that they start.
    """
    sys.stdout.flush()
    kept = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return os.fdopen(kept, "w", encoding="utf-8")


_STATUS = re.compile(r"(?<![\d,])(?!0 )([\d,]+) (ok|partial|failed)\b")
_COLOURS = {"ok": "green", "partial": "yellow", "failed": "red"}


def coloured(line: str) -> str:
    """A line with its counts of contracts by status in colour, for terminals that have any."""
    return _STATUS.sub(lambda found: click.style(found[0], fg=_COLOURS[found[2]]), line)


def as_table(rows: Iterable[tuple[str, ...]], *, right: Iterable[int] = ()) -> list[str]:
    """Rows as lines with aligned columns, those of the numbers in `right` to the right."""
    rows = list(rows)
    if not rows:
        return []
    to_right = frozenset(right)
    widths = [max(len(row[place]) for row in rows) for place in range(len(rows[0]))]
    return [
        "  ".join(
            cell.rjust(width) if place in to_right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
