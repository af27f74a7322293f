"""Makes demo.svg: what `make demo` shows on a terminal, recorded from a real run.

    python docs/images/make_demo_svg.py

It runs the demo in a pseudo-terminal (so not on Windows), with a home folder of its own, and takes
as long as the demo does. Nothing in the picture is written by hand.
"""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

PICTURE = Path(__file__).with_name("demo.svg")
COLUMNS = 128

# The bar at the foot of the screen is drawn over and over, then taken away: by moving up to its
# line and erasing that.
BAR = re.compile(r"[^\n]*\n(?:\x1b\[\?25h)?\r?\x1b\[1A\x1b\[2K")

# rich's frame of a terminal, its font replaced by what is at hand: a picture fetches nothing.
FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" \
aria-label="batchwright demo, run on a terminal">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", \
monospace; font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: \
full-width; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        screen = shown_by([sys.executable, "-m", "batchwright", "demo"], Path(home))
    screen = BAR.sub("", screen.replace("\r\n", "\n")).replace(home, "~")
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    console.print(Text("$ make demo"))
    for line in screen.splitlines():
        console.print(Text.from_ansi(line), soft_wrap=False, overflow="fold")
    console.save_svg(str(PICTURE), title="batchwright", theme=SVG_EXPORT_THEME, code_format=FRAME)
    print(f"{PICTURE}: {PICTURE.stat().st_size:,} bytes")


def shown_by(command: list[str], home: Path) -> str:
    """What a command writes to a terminal of its own, with `home` as the user's folder."""
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("BATCHWRIGHT_", "XDG_"))
    }
    environment |= {"HOME": str(home), "TERM": "xterm-256color", "COLUMNS": str(COLUMNS)}
    environment.pop("NO_COLOR", None)
    controller, terminal = pty.openpty()
    process = subprocess.Popen(  # noqa: S603  # our own program
        command, stdout=terminal, stderr=terminal, env=environment
    )
    os.close(terminal)
    written = bytearray()
    while True:
        try:
            some = os.read(controller, 1 << 16)
        except OSError:  # the terminal's other end is closed: the command has ended
            some = b""
        if not some:
            break
        written += some
    os.close(controller)
    if process.wait():
        sys.exit(f"the demo ended with {process.returncode}:\n{written.decode()}")
    return written.decode()


if __name__ == "__main__":
    main()
