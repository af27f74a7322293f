"""What the documents show is so: their files are written, their commands and cells run, in the
order in which they stand, and what is shown of the output is compared.

- A block after a line that ends with a file's name in backquotes and a colon is that file.
- In a `console` block a line that begins with `$ ` is a command. Lines below it are what it says;
  without such lines only its exit code counts, which is 0 unless the block says `console exit=2`.
- A `python` block without a file name is a cell of a notebook; a `text` block below it is what
  the cell prints or gives.

A line `...` in what is shown stands for any lines. Times, dates and sizes are not compared.
"""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CELLS = ROOT / "tests" / "data" / "cells.py"
DOCUMENTS = ["README.md", "docs/tutorial-json.md", "docs/tutorial-python.md"]
PROGRAMS = "docs/first-programs.md"

BLOCK = re.compile(
    r"(?P<before>[^\n]*)\n\n?^```(?P<info>[^\n]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
NAMED = re.compile(r"`([\w./-]+)`:$")
NOT_COMPARED = [
    (re.compile(r"; \S+ (us|ms|s) saved"), ""),  # only said when it is worth saying
    (re.compile(r"(?m)^  slowest .*"), "  slowest"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?|\b\d\d? [A-Z][a-z]{2} \d\d:\d\d"), "DATE"),
    (re.compile(r"\b\d[\d,.]* ?(us|ms|s|min)\b"), "TIME"),
    (re.compile(r"\b\d[\d,.]* (bytes|kB|MB)"), "SIZE"),
    (re.compile(r"\bseed \d+"), "seed N"),
    (re.compile(r"[ -]*-{3,}[ -]*| +"), " "),
    (re.compile(r"(?m)^ | $"), ""),
]


@dataclass(frozen=True)
class Block:
    language: str
    options: str
    file: str | None
    text: str


def blocks_of(text):
    for found in BLOCK.finditer(text):
        language, _, options = found["info"].partition(" ")
        named = NAMED.search(found["before"])
        yield Block(language, options, named and named[1], found["text"])


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def programs():
    """The four programs by their headings, each with the section that shows it."""
    title = re.compile(r"^## (.+)$", re.MULTILINE)
    _, *parts = title.split(read(PROGRAMS))
    return dict(zip(parts[::2], parts[1::2], strict=True))


class Reader:
    """Somebody who does in an empty folder what a document says."""

    def __init__(self, folder):
        self.folder = folder
        self.done: list[str] = []
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("BATCHWRIGHT_", "PYTEST"))}
        self.environment = kept | {
            "BATCHWRIGHT_SECRET_FILE": os.environ["BATCHWRIGHT_SECRET_FILE"],
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "NO_COLOR": "1",
        }

    def follow(self, text):
        blocks = list(blocks_of(text))
        cells = [
            (block.text, block.language == "python" and below(blocks, place))
            for place, block in enumerate(blocks)
            if block.language == "python" and block.file is None
        ]
        for block in blocks:
            if block.file is not None:
                path = self.folder / block.file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.text, encoding="utf-8")
            elif block.language in ("json", "toml"):
                pytest.fail(f"the line before this file does not name it:\n{block.text}")
            elif block.language == "console":
                expected_code = int(block.options.removeprefix("exit=") or 0)
                for command, shown in commands_of(block.text):
                    self.command(command, shown, expected_code)
        if cells:
            self.cells(cells)

    def command(self, command, shown, expected_code):
        ran = subprocess.run(  # noqa: S602  # what documents show is shell
            command, shell=True, check=False, capture_output=True, text=True,
            cwd=self.folder, env=self.environment, timeout=120,
        )  # fmt: skip
        assert ran.returncode == expected_code, f"$ {command}\n{ran.stdout}{ran.stderr}"
        self.compare(command, shown, ran.stdout or ran.stderr)

    def cells(self, cells):
        ran = subprocess.run(
            [sys.executable, str(CELLS)], check=False, capture_output=True, text=True,
            cwd=self.folder, env=self.environment, timeout=120,
            input=json.dumps([cell for cell, _ in cells]),
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        for (cell, shown), said in zip(cells, json.loads(ran.stdout), strict=True):
            self.compare(cell, shown, said)

    def compare(self, what, shown, said):
        self.done.append(what)
        if shown:
            assert matches(shown, said), f"{what}\nshown:\n{shown}\nsaid:\n{said}"
        else:
            assert "Traceback" not in said, f"{what}\n{said}"


def below(blocks, place):
    """What a document shows as the output of the cell at that place."""
    following = blocks[place + 1] if place + 1 < len(blocks) else None
    return following.text if following and following.language == "text" else ""


def commands_of(text):
    """The commands of a console block, each with the output shown below it."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield command, shown


def matches(shown, said):
    """Whether `said` is what is `shown`, but for what differs from run to run."""
    pattern = "".join(
        r"(?:.*\n)*" if line == "..." else re.escape(line) + r"\n"
        for line in comparable(shown).splitlines()
    )
    return re.fullmatch(pattern, comparable(said) + "\n") is not None


def comparable(text):
    for pattern, instead in NOT_COMPARED:
        text = pattern.sub(instead, text)
    return text.strip()


@pytest.fixture
def reader(tmp_path):
    return Reader(tmp_path)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_does_what_it_shows(name, reader):
    reader.follow(read(name))
    assert reader.done


@pytest.mark.parametrize("title", programs())
def test_a_first_program_does_what_it_shows(title, reader):
    reader.follow(programs()[title])
    assert reader.done


def test_the_four_first_programs_are_there():
    assert len(programs()) == 4


def test_every_link_between_documents_leads_somewhere():
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    for document in documents:
        for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text("utf-8")):
            assert (document.parent / link).exists(), f"{document.name}: {link}"


# --- the reader itself --------------------------------------------------------------------


def test_times_and_sizes_are_not_compared_and_all_else_is():
    assert matches("done in 6 ms: 2 ok", "done in 1.4 s: 2 ok; 12 ms saved")
    assert matches("6 results, 1.1 kB", "6 results,  980 bytes")
    assert not matches("done in 6 ms: 2 ok", "done in 6 ms: 1 ok")
    assert not matches("a\nb", "a\nb\nc")


def test_dots_stand_for_any_lines():
    assert matches("a\n...\nd", "a\nb\nc\nd")
    assert not matches("a\n...\nd", "a\nb\nc\n")
    assert matches("a\n...", "a")
    assert not matches("a.c", "abc")


def test_a_wrong_output_is_noticed(reader):
    with pytest.raises(AssertionError, match="shown"):
        reader.follow("x\n\n```console\n$ echo three\nfour\n```\n")


def test_a_wrong_exit_code_is_noticed(reader):
    with pytest.raises(AssertionError, match="false"):
        reader.follow("x\n\n```console\n$ false\n```\n")
    reader.follow("x\n\n```console exit=1\n$ false\n```\n")


def test_a_wrong_cell_is_noticed(reader):
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        reader.follow("x\n\n```python\n1 / 0\n```\n")
    with pytest.raises(AssertionError, match="shown"):
        reader.follow("x\n\n```python\n1 + 1\n```\n\n```text\n3\n```\n")


def test_files_and_cells_are_told_apart_by_the_line_before_them(reader):
    reader.follow("In `a/b.py`:\n\n```python\nx = 1\n```\n\nThen:\n\n```python\nx = 2\n```\n")
    assert (reader.folder / "a" / "b.py").read_text() == "x = 1\n"
    assert reader.done == ["x = 2\n"]
