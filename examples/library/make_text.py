"""Write the fleet's document: the docstrings of Python's own standard library, and its topics.

    python make_text.py [OUT] [--every N]

The sources are parsed, never imported, so that the text depends on the version of Python alone.
One page per module or language topic, sorted by name:

    # module bisect
        Bisection algorithms.

    ## def insort_right(a, x, lo=0, hi=None, *, key=None)
        Insert item x in list a, and keep it sorted assuming a is sorted.

`--every 20` keeps each twentieth module and topic, a small document of the same kind.
"""

from __future__ import annotations

import argparse
import ast
import sysconfig
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Tests, bundled applications, what is installed beside the library, and packages that newer
# versions of Python dropped: none of them documents the library.
LEFT_OUT = frozenset(
    {
        "__pycache__",
        "dist-packages",
        "distutils",
        "idlelib",
        "lib2to3",
        "pydoc_data",
        "site-packages",
        "test",
        "tests",
    }
)
TOPICS = Path("pydoc_data", "topics.py")

Documented = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def stdlib() -> Path:
    """The folder of the standard library's sources."""
    return Path(sysconfig.get_path("stdlib"))


def module_pages(root: Path, every: int) -> Iterator[tuple[str, str]]:
    """The heading and the text of each module that documents anything."""
    sources = (path.relative_to(root) for path in root.rglob("*.py"))
    documenting = sorted(path for path in sources if LEFT_OUT.isdisjoint(path.parts))
    for path in documenting[::every]:
        body = "\n".join(paragraphs(ast.parse((root / path).read_bytes())))
        if body:
            yield f"# module {module_name(path)}", body


def module_name(relative: Path) -> str:
    """`json/decoder.py` as `json.decoder`, `json/__init__.py` as `json`."""
    parts = relative.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def paragraphs(tree: ast.Module) -> Iterator[str]:
    """The module's docstring, then a heading and a docstring for each definition with one."""
    documentation = ast.get_docstring(tree)
    if documentation:
        yield indented(documentation)
    yield from definitions(tree, "")


def definitions(node: ast.AST, prefix: str) -> Iterator[str]:
    """The documented classes and functions below `node`, in the order of the source."""
    for child in ast.iter_child_nodes(node):
        inner = prefix
        if isinstance(child, Documented):
            inner = f"{prefix}{child.name}."
            documentation = ast.get_docstring(child)
            if documentation:
                yield f"## {heading(child, prefix)}\n{indented(documentation)}"
        yield from definitions(child, inner)


def heading(node: Documented, prefix: str) -> str:
    """`class Name(bases)` or `def name(parameters)`, as it would be declared."""
    if isinstance(node, ast.ClassDef):
        bases = ", ".join(ast.unparse(base) for base in node.bases)
        return f"class {prefix}{node.name}({bases})"
    return f"def {prefix}{node.name}({ast.unparse(node.args)})"


def topic_pages(root: Path, every: int) -> Iterator[tuple[str, str]]:
    """The chapters of the language reference that `help()` shows, where they are installed."""
    path = root / TOPICS
    if not path.exists():
        return
    for statement in ast.parse(path.read_bytes()).body:
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Dict):
            topics = sorted(ast.literal_eval(statement.value).items())
            for name, text in topics[::every]:
                yield f"# topic {name}", indented(text)


def indented(text: str) -> str:
    """The text moved in by four columns, so that only headings begin a line."""
    printable = text.encode("utf-8", "replace").decode("utf-8")
    lines = "\n".join(printable.splitlines())
    return textwrap.indent(lines.strip("\n"), "    ") + "\n"


def make_text(every: int = 1) -> str:
    """The whole document; with `every` above 1 only each so-manieth module and topic."""
    root = stdlib()
    pages = sorted([*module_pages(root, every), *topic_pages(root, every)])
    return "\n".join(f"{title}\n{body}" for title, body in pages)


def main() -> None:
    """Write the document beside this script, or where the command line says."""
    parser = argparse.ArgumentParser(description="Write the docstrings of the standard library.")
    default = Path(__file__).with_name("docstrings.txt")
    parser.add_argument("out", nargs="?", type=Path, default=default)
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="keep each Nth module and topic"
    )
    options = parser.parse_args()
    text = make_text(options.every)
    options.out.write_bytes(text.encode("utf-8"))
    print(f"{options.out.name}: {len(text):,} characters")


if __name__ == "__main__":
    main()
