"""Facts of code: names of causes, loaded code against its file, processes, scripts, notes."""

from __future__ import annotations

import functools
import importlib
import itertools
import json
import linecache
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cloudpickle
import msgspec
import numpy as np
import pytest

import batchwright
from batchwright.caching.code import (
    CodeFacts,
    code_digest,
    describe,
    describe_constructor,
    describe_method,
)

if TYPE_CHECKING:
    from types import ModuleType

_numbers = itertools.count()


def write(folder: Path, source: str, name: str) -> Path:
    path = folder / f"{name}.py"
    path.write_text(source)
    return path


def load(folder: Path, source: str, name: str | None = None) -> ModuleType:
    name = name or f"facts_{next(_numbers)}"
    write(folder, source, name)
    sys.modules.pop(name, None)
    sys.path.insert(0, str(folder))
    try:
        importlib.invalidate_caches()
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))


def run(source: str, *arguments: str, cwd: Path, **environment: str) -> Any:
    done = subprocess.run(  # our own interpreter, our own text
        [sys.executable, *arguments, *(["-c", source] if source else [])],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", **environment},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# --- naming the cause ---------------------------------------------------------------------

CAUSES = """
LIMIT = 3
class Base:
    size = 4
    def grow(self): return self.size
class Thing(Base):
    def run(self): return self.grow() + helper(1)
def helper(x): return x + LIMIT
def make(factor):
    def inner(x): return x * factor
    return inner
double = make(2)
def step(x): return Thing().run() + double(x)
"""


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("LIMIT = 3", "LIMIT = 4", "causes:LIMIT"),
        ("size = 4", "size = 5", "causes:Base.size"),
        ("return self.size", "return -self.size", "causes:Base.grow"),
        ("return x + LIMIT", "return x - LIMIT", "causes:helper"),
        ("make(2)", "make(3)", "causes:make.<locals>.inner"),
        ("return x * factor", "return x / factor", "causes:make.<locals>.inner"),
        ("+ double(x)", "- double(x)", "causes:step"),
    ],
)
def test_the_parts_name_the_cause_of_a_change(
    tmp_path: Path, old: str, new: str, cause: str
) -> None:
    before = describe(load(tmp_path, CAUSES, "causes").step).parts
    (tmp_path / "after").mkdir()
    after = describe(load(tmp_path / "after", CAUSES.replace(old, new), "causes").step).parts
    assert {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)} == {
        cause
    }


def test_facts_survive_json(tmp_path: Path) -> None:
    facts = describe(load(tmp_path, CAUSES).step)
    assert msgspec.json.decode(msgspec.json.encode(facts), type=CodeFacts) == facts


def test_the_files_are_those_a_change_can_come_from(tmp_path: Path) -> None:
    write(tmp_path, "def far(x): return x", "farther")
    write(tmp_path, "from farther import far", "between")
    module = load(tmp_path, "from between import far\ndef step(x): return far(x)", "nearest")
    assert {Path(file).stem for file in describe(module.step).files} == {
        "nearest",
        "between",
        "farther",
    }


def test_facts_are_current_until_a_file_is_edited(tmp_path: Path) -> None:
    path = write(tmp_path, "def step(x): return x\n", "kept")
    source = (
        "import sys, json, pathlib\nsys.path.insert(0, '.')\nimport kept\n"
        "from batchwright.caching.code import describe\n"
        "before = describe(kept.step).current\n"
        "pathlib.Path('kept.py').write_text('def step(x): return -x\\n')\n"
        "json.dump([before, describe(kept.step).current], sys.stdout)"
    )
    assert run(source, cwd=tmp_path) == [True, False]
    assert path.exists()


# --- loaded code, not the file ------------------------------------------------------------


def test_an_edit_of_the_file_after_the_import_is_not_seen(tmp_path: Path) -> None:
    source = "def helper(x): return x + 1\ndef step(x):\n    return helper(x)\n"
    edited, same = load(tmp_path, source, "edited_later"), tmp_path / "same"
    write(tmp_path, source.replace("x + 1", "x + 2"), "edited_later")
    os.utime(tmp_path / "edited_later.py", (1, 1))
    stale = describe(edited.step)
    same.mkdir()
    fresh = describe(load(same, source.replace("x + 1", "x + 2"), "edited_later").step)
    assert stale.parts["edited_later:helper"] != fresh.parts["edited_later:helper"]
    assert stale.parts["edited_later:step"] == fresh.parts["edited_later:step"]


def test_an_edit_elsewhere_in_the_file_after_the_import_is_no_change(tmp_path: Path) -> None:
    source = "def other(x): return x\ndef step(x):\n    return x + 1\n"
    module = load(tmp_path, source, "moved_down")
    write(tmp_path, "import os\n\n\n" + source.replace("return x\n", "return -x\n"), "moved_down")
    moved = code_digest(module.step)
    (tmp_path / "plain").mkdir()
    assert moved == code_digest(load(tmp_path / "plain", source, "moved_down").step)


def test_a_table_edited_after_the_import_counts_as_loaded(tmp_path: Path) -> None:
    source = "TABLE = {'a': 1}\ndef step(x): return TABLE[x]\n"
    module = load(tmp_path, source, "table_edited")
    write(tmp_path, source.replace("1", "2"), "table_edited")
    stale = code_digest(module.step)
    assert stale != code_digest(load(tmp_path, source.replace("1", "2"), "table_edited").step)


def test_a_reloaded_module_counts_as_it_is_now(tmp_path: Path) -> None:
    module = load(tmp_path, "def step(x): return x + 1\n", "reloaded")
    before = code_digest(module.step)
    write(tmp_path, "def step(x): return x + 222\n", "reloaded")
    sys.path.insert(0, str(tmp_path))
    try:
        importlib.reload(module)
    finally:
        sys.path.remove(str(tmp_path))
    assert code_digest(module.step) != before


def test_a_stale_compiled_file_is_what_runs_and_what_counts(tmp_path: Path) -> None:
    # Python knows the time of a source to a second: an edit of equal size within it is missed.
    path = write(tmp_path, "LIMITS = {1: 10}\ndef step(x): return LIMITS[x] + 1\n", "quick")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    source = (
        "import sys, json\nfrom batchwright.caching.code import code_digest\n"
        f"sys.path.insert(0, {str(tmp_path)!r})\nimport quick\n"
        "json.dump([quick.step(1), code_digest(quick.step)], sys.stdout)"
    )
    first = run(source, cwd=tmp_path)
    path.write_text("LIMITS = {1: 20}\ndef step(x): return LIMITS[x] + 2\n")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    stale = run(source, cwd=tmp_path)
    assert stale[0] == first[0] == 11
    (tmp_path / "__pycache__").rename(tmp_path / "gone")
    fresh = run(source, cwd=tmp_path)
    assert fresh[0] == 22
    assert fresh[1] not in (first[1], stale[1])


def test_code_without_source_counts_by_what_runs() -> None:
    def made(text: str) -> Any:
        namespace: dict[str, Any] = {"__name__": "console"}
        exec(compile(text, "<stdin>", "exec"), namespace)  # noqa: S102
        return namespace["f"]

    base = (
        "def f(x):\n    if x > 1 and x < 5:\n        return g(x)\n    return 0\ndef g(x): return x"
    )
    digest = code_digest(made(base))
    assert code_digest(made("\n\n" + base.replace("    ", "\t"))) == digest
    assert code_digest(made(base.replace("def f(x):\n", "def f(x):\n    'words'\n"))) == digest
    assert code_digest(made(base.replace("x > 1", "x > 2"))) != digest
    assert code_digest(made(base.replace("def g(x): return x", "def g(x): return -x"))) != digest


def test_what_a_try_covers_counts_without_source() -> None:
    def made(text: str) -> Any:
        namespace: dict[str, Any] = {"__name__": "console"}
        exec(compile(text, "<stdin>", "exec"), namespace)  # noqa: S102
        return namespace["f"]

    inside = "def f():\n    try:\n        a()\n        b()\n    except OSError:\n        return 1\n"
    beside = (
        "def f():\n    try:\n        a()\n    except OSError:\n        return 1\n"
        "    else:\n        b()\n"
    )
    assert code_digest(made(inside)) != code_digest(made(beside))


def test_a_notebook_cell_is_read_and_its_redefinition_seen() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}

    def cell(number: int, text: str) -> None:
        name = f"<ipython-input-{number}-0123>"
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        exec(compile(text, name, "exec"), namespace)  # noqa: S102

    cell(1, "def helper(x):\n    return x + 1\n")
    cell(2, "def step(x):\n    return helper(x)\n")
    first = code_digest(namespace["step"])
    cell(3, "def helper(x):\n    # now with a comment\n    return (x + 1)\n")
    assert code_digest(namespace["step"]) == first
    cell(4, "def helper(x):\n    return x + 2\n")
    assert code_digest(namespace["step"]) != first


def test_a_function_sent_by_value_has_a_digest(tmp_path: Path) -> None:
    module = load(tmp_path, "K = 2\ndef helper(x): return x * K\ndef step(x): return helper(x)\n")
    cloudpickle.register_pickle_by_value(module)
    try:
        sent = cloudpickle.loads(cloudpickle.dumps(module.step))
    finally:
        cloudpickle.unregister_pickle_by_value(module)
    facts = describe(sent)
    assert facts.parts.keys() == describe(module.step).parts.keys()


# --- processes, scripts, owners -----------------------------------------------------------

MANY = """
import enum, re
NAMES = frozenset(["alpha", "beta", "gamma", "delta", 1, 2.5, None])
TABLE = {"a": {1, 2, 3}, "b": {"x", "y"}}
class Kind(enum.Enum):
    A = frozenset("abc")
class Thing:
    words = {"one", "two", "three"}
    def run(self, x): return x in {"p", "q", "r"} and x in self.words
def step(x):
    return x in NAMES, x in TABLE, x in {"k", "l", "m"}, Kind.A, Thing().run(x), re.X
"""


def test_the_hash_seed_does_not_matter(tmp_path: Path) -> None:
    write(tmp_path, MANY, "many")
    source = (
        "import sys, json\nsys.path.insert(0, '.')\nimport many\n"
        "from batchwright.caching.code import describe\n"
        "json.dump(describe(many.step).parts, sys.stdout)"
    )
    seen = [run(source, cwd=tmp_path, PYTHONHASHSEED=seed) for seed in ("1", "2", "77")]
    assert seen[0] == seen[1] == seen[2]
    assert "many:Thing.words" in seen[0]


def test_a_set_does_not_depend_on_the_seed_without_source(tmp_path: Path) -> None:
    source = (
        "import sys, json\nfrom batchwright.caching.code import describe\n"
        "ns = {'__name__': 'bare'}\n"
        f"exec(compile({MANY!r}, '<bare>', 'exec'), ns)\n"
        "json.dump(describe(ns['step']).parts, sys.stdout)"
    )
    seen = [run(source, cwd=tmp_path, PYTHONHASHSEED=seed) for seed in ("1", "2", "77")]
    assert seen[0] == seen[1] == seen[2]


SCRIPT = """
import sys, json
from dataclasses import dataclass
from batchwright.caching.code import describe, describe_method
TABLE = {"a": [1]}
@dataclass
class Thing:
    x: int = 1
    def run(self): return self.x + helper()
def helper(): return TABLE["a"]
def step(x): return helper() + Thing().run()
def main():
    json.dump([describe(step).digest, describe_method(Thing, "run").digest], sys.stdout)
if __name__ == "__main__":
    main()
"""


def test_script_and_module_share_their_digests(tmp_path: Path) -> None:
    write(tmp_path, SCRIPT, "sweep")
    as_script = run("", "sweep.py", cwd=tmp_path)
    as_module = run("", "-m", "sweep", cwd=tmp_path)
    imported = run("import sweep; sweep.main()", cwd=tmp_path)
    assert as_script == as_module == imported


def test_distributions_count_by_version_and_python_is_silent(tmp_path: Path) -> None:
    module = load(
        tmp_path,
        "import numpy as np, json, os.path\n"
        "import batchwright\n"
        "def step(x): return np.mean(json.loads(os.path.join(x))), batchwright.__version__\n",
    )
    parts = describe(module.step).parts
    import numpy as np

    assert parts.pop("dist numpy") == np.__version__
    assert parts.pop("dist batchwright") == batchwright.__version__
    assert list(parts) == [f"{module.__name__}:step"]


def test_an_editable_distribution_is_own_code(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    for name, editable in (("loose", True), ("tight", True), ("fixed", False)):
        package = (tmp_path / "src" / name) if name == "loose" else site / name
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("def f(x): return x\n")
        info = site / f"{name}-1.2.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        (info / "RECORD").write_text(f"{name}/__init__.py,,\n")
        url = {"url": "file:///x", "dir_info": {"editable": editable}}
        # Installers differ in the spaces that they write.
        spaces = (",", ":") if name == "tight" else None
        (info / "direct_url.json").write_text(json.dumps(url, separators=spaces))
    source = (
        "import sys, json\n"
        f"sys.path[:0] = [{str(site)!r}, {str(tmp_path / 'src')!r}]\n"
        "import loose, tight, fixed\nfrom batchwright.caching.code import describe\n"
        "def step(x): return loose.f(x) + tight.f(x) + fixed.f(x)\n"
        "json.dump(describe(step).parts, sys.stdout)"
    )
    parts = run(source, cwd=tmp_path)
    assert parts["dist fixed"] == "1.2"
    assert {"loose:f", "tight:f"} <= parts.keys()
    assert not {"dist loose", "dist tight"} & parts.keys()


# --- what cannot be followed --------------------------------------------------------------


def test_what_cannot_be_followed_is_noted_with_file_and_line(tmp_path: Path) -> None:
    module = load(
        tmp_path,
        "import math\n\ndef step(x, name):\n    y = getattr(x, name)\n    return eval(y)\n",
    )
    notes = describe(module.step).notes
    assert [(Path(note.file).name, note.line) for note in notes] == [
        (f"{module.__name__}.py", 4),
        (f"{module.__name__}.py", 5),
    ]


def test_a_constant_getattr_needs_no_note(tmp_path: Path) -> None:
    module = load(tmp_path, "def step(x): return getattr(x, 'name'), getattr(x, 'other', None)\n")
    assert describe(module.step).notes == ()


def test_a_property_is_never_run(tmp_path: Path) -> None:
    module = load(
        tmp_path,
        "class Trap:\n"
        "    @property\n    def x(self): raise SystemExit\n"
        "    def __getattr__(self, name): raise SystemExit\n"
        "    def __eq__(self, other): raise SystemExit\n"
        "    def __hash__(self): raise SystemExit\n"
        "    def __repr__(self): raise SystemExit\n"
        "TRAP = Trap()\n"
        "def step(y=TRAP): return TRAP.x, y\n",
    )
    assert code_digest(module.step)


# --- the faces ----------------------------------------------------------------------------


def test_a_missing_method_is_an_error(tmp_path: Path) -> None:
    module = load(tmp_path, CAUSES)
    with pytest.raises(AttributeError, match="no method 'fly'"):
        describe_method(module.Thing, "fly")


def test_a_method_has_one_digest_however_it_is_taken(tmp_path: Path) -> None:
    module = load(tmp_path, CAUSES)
    thing = module.Thing
    digests = {
        code_digest(thing.run),
        code_digest(thing().run),
        describe_method(thing, "run").digest,
    }
    assert len(digests) == 1


def test_functions_of_equal_code_differ_by_name(tmp_path: Path) -> None:
    module = load(tmp_path, "def a(x): return x\ndef b(x): return x\n")
    assert code_digest(module.a) != code_digest(module.b)


@pytest.mark.parametrize(
    "called",
    [len, str.upper, [].append, functools.partial(int, base=2), int, functools.reduce, max],
    ids=lambda function: type(function).__name__,
)
def test_python_s_own_callables_have_a_digest(called: Any) -> None:
    assert code_digest(called) == code_digest(called)


def test_partials_differ_by_their_arguments() -> None:
    assert code_digest(functools.partial(int, base=2)) != code_digest(
        functools.partial(int, base=3)
    )


def test_a_constructor_does_not_count_methods(tmp_path: Path) -> None:
    before = describe_constructor(load(tmp_path, CAUSES, "built").Thing)
    after = describe_constructor(
        load(tmp_path, CAUSES.replace("self.grow() +", "self.grow() -"), "built").Thing
    )
    assert before.digest == after.digest


def test_functions_wrapped_by_objects_of_others_are_told_apart(tmp_path: Path) -> None:
    module = load(tmp_path, "def a(x): return x + 1\ndef b(x): return x + 2\n")
    made = [np.vectorize(module.a), np.vectorize(module.b), np.add, np.subtract]
    made += [np.frompyfunc(module.a, 1, 1), np.frompyfunc(module.b, 1, 1)]
    digests = [code_digest(each) for each in made]
    assert len(set(digests)) == len(made)
    assert digests == [code_digest(each) for each in made]


def test_what_cannot_be_told_apart_is_said_and_unlike_itself_elsewhere() -> None:
    made = np.frompyfunc(len, 1, 1)
    assert "cannot be told" in describe(made).notes[0].text
    assert code_digest(np.frompyfunc(len, 1, 1)) != code_digest(made)


def test_functions_compiled_by_cython_have_a_digest() -> None:
    assert code_digest(np.random.default_rng) == code_digest(np.random.default_rng)


def test_pickling_an_instance_changes_no_code(tmp_path):
    module = load(tmp_path, "class Model:\n    def __init__(self, n):\n        self.n = n\n")
    before = code_digest(module.Model), describe_method(module.Model, "__init__")
    pickle.dumps(module.Model(1))
    assert "__slotnames__" in vars(module.Model)
    assert (code_digest(module.Model), describe_method(module.Model, "__init__")) == before


TELL_DIGEST = """
import json, tables
from batchwright import code_digest
print(json.dumps(code_digest(tables.look)))
"""


@pytest.mark.parametrize(
    ("made", "counts"),
    [
        ("json.loads(Path(FILE).read_text())", True),
        ("[os.environ.get('BATCHWRIGHT_TEST_SAID')]", True),
        ("{'a': 1}", False),
        ("dict()", False),
        ("defaultdict(list)", False),
    ],
)
def test_a_table_that_a_call_made_counts_by_what_it_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: str, counts: bool
) -> None:
    source = (
        "import json, os\nfrom collections import defaultdict\nfrom pathlib import Path\n"
        f"FILE = os.environ['BATCHWRIGHT_TEST_FILE']\nTABLE = {made}\n"
        "def look(): return TABLE\n"
    )
    file = tmp_path / "table.json"
    monkeypatch.setenv("BATCHWRIGHT_TEST_FILE", str(file))
    write(tmp_path, source, "tables")
    digests = []
    for said in ("1", "2"):
        file.write_text(f'{{"a": {said}}}')
        monkeypatch.setenv("BATCHWRIGHT_TEST_SAID", said)
        digests.append(run(TELL_DIGEST, cwd=tmp_path))
    assert (digests[0] != digests[1]) is counts


def test_a_function_that_sets_a_global_is_noted_with_its_place(tmp_path: Path) -> None:
    module = load(
        tmp_path, "N = 0\ndef helper():\n    global N\n    N += 1\ndef count():\n    helper()\n"
    )
    (note,) = describe(module.count).notes
    assert "sets the global N" in note.text
    assert note.line == 2
