"""A run's progress: a bar where somebody watches, else a line every tenth of the steps."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from batchwright.execution.telling import opening_lines, seconds

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from batchwright.execution.prepare import Prepared
    from batchwright.fleet.keys import Unique
    from batchwright.fleet.outcome import ContractOutcome
    from batchwright.records.model import RunRecord, StepRecord
    from batchwright.reporting.screen import Screen

_LINES = 10
_ALREADY_SETTLED = ("known", "not needed")


def progress_on(screen: Screen) -> Progress:
    """What shows progress on a screen: a bar on a terminal, lines elsewhere, nothing if quiet."""
    if not screen.quiet and screen.is_terminal:
        return Bar(screen.say)
    return Lines(screen.say, screen.progress)


class Progress:
    """An observer that counts: steps that had to be settled by running, and contracts.

    Use it in a `with` block. `prepared` and `run` are the run's own, once they are there.
    """

    def __init__(
        self, open_with: Callable[[list[str]], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.prepared: Prepared | None = None
        self.run: RunRecord | None = None
        self._open_with = open_with
        self._clock = clock
        self._started = clock()
        self._pending: set[int] = set()
        self._settled: set[int] = set()
        self._contracts = 0
        self._contracts_ended = 0

    def planned(self, prepared: Prepared) -> None:
        """Say what there is to do; a second time only the counts change."""
        first = self.prepared is None
        self.prepared = prepared
        self._pending = {
            number
            for number, standing in enumerate(prepared.standings)
            if standing.status not in _ALREADY_SETTLED
        }
        self._settled = set()
        self._contracts, self._contracts_ended = len(prepared.graph.contracts), 0
        if first:
            self._started = self._clock()
            self._open_with(opening_lines(prepared))

    def step_started(self, unique: Unique) -> None:
        """A step begins, which on one worker is what everybody waits for."""
        if unique.number in self._pending:
            self._show(unique.label)

    def step_ended(self, record: StepRecord) -> None:
        """Count a step that was to run."""
        if record.number in self._pending and record.number not in self._settled:
            self._settled.add(record.number)
            self._advanced()

    def contract_ended(self, outcome: ContractOutcome) -> None:
        """Count a contract."""
        self._contracts_ended += 1

    def run_ended(self, run: RunRecord) -> None:
        """Keep how it ended."""
        self.run = run
        self._stop()

    def line(self) -> str:
        """How far the run is."""
        return (
            f"{len(self._settled):,}/{len(self._pending):,} steps, "
            f"{self._contracts_ended:,}/{self._contracts:,} contracts, "
            f"{seconds((self._clock() - self._started) * 1e3)}"
        )

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def _show(self, label: str) -> None:
        """A step of that method begins."""

    def _advanced(self) -> None:
        """One more step is settled."""

    def _stop(self) -> None:
        """Nothing more is to be shown."""


class Lines(Progress):
    """A line whenever another tenth of the steps is settled, for logs."""

    def __init__(
        self,
        open_with: Callable[[list[str]], None],
        write: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(open_with, clock)
        self._write = write

    def _advanced(self) -> None:
        done, total = len(self._settled), len(self._pending)
        if done * _LINES // total > (done - 1) * _LINES // total and done < total:
            self._write(self.line())


class Bar(Progress):
    """A bar at the foot of a terminal, from the first step that really runs until the end."""

    def __init__(
        self, open_with: Callable[[list[str]], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(open_with, clock)
        self._bar: Any = None
        self._task: Any = None

    def _show(self, label: str) -> None:
        if self._bar is None:
            self._begin(label)
        self._bar.update(
            self._task, total=len(self._pending), completed=len(self._settled), running=label
        )

    def _advanced(self) -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=len(self._settled))

    def _stop(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _begin(self, label: str) -> None:
        # rich takes longer to import than a fully known fleet takes to look up.
        import sys

        from rich.console import Console
        from rich.progress import BarColumn, Progress, ProgressColumn
        from rich.progress import Task as RichTask
        from rich.text import Text

        counted = self.line

        class Counts(ProgressColumn):
            def render(self, task: RichTask) -> Text:
                return Text(f"{counted()}; now {task.fields['running']}", no_wrap=True)

        self._bar = Progress(
            BarColumn(bar_width=20),
            Counts(),
            console=Console(stderr=True),
            transient=True,
            refresh_per_second=5,
            redirect_stdout=sys.stdout.isatty(),
        )
        self._task = self._bar.add_task("", total=len(self._pending), running=label)
        self._bar.start()
