"""Less trodden roads by which one piece of code reaches another, each with an edit at its end.

Every row is a small package with a function `step` in `pkg/main.py`; the edit either can change
what `step` computes, or cannot.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

MAIN = "main"

# name, the files, what is replaced in them, whether the digest of `step` must change
ROADS: list[tuple[str, dict[str, str], tuple[str, str], bool]] = [
    ("local alias of a module", {
        MAIN: "from . import lib\ndef step(x):\n    m = lib\n    return m.f(x)\n",
        "lib": "def f(x): return x + 1\n"}, ("x + 1", "x + 2"), True),
    ("module in a tuple", {
        MAIN: "from . import lib\nMODULES = (lib,)\ndef step(x): return MODULES[0].f(x)\n",
        "lib": "def f(x): return x + 1\n"}, ("x + 1", "x + 2"), True),
    ("functions in a tuple", {
        MAIN: "def a(x): return x + 1\ndef b(x): return x\nALL = (a, b)\n"
              "def step(x): return [f(x) for f in ALL]\n"}, ("x + 1", "x + 2"), True),
    ("order of functions in a list", {
        MAIN: "def a(x): return x + 1\ndef b(x): return x\nALL = [a, b]\n"
              "def step(x): return [f(x) for f in ALL]\n"}, ("[a, b]", "[b, a]"), True),
    ("function in a nested dict", {
        MAIN: "def a(x): return x + 1\nALL = {'k': {'l': [a]}}\n"
              "def step(x): return ALL['k']['l'][0](x)\n"}, ("x + 1", "x + 2"), True),
    ("default is a function", {
        MAIN: "def a(x): return x + 1\ndef step(x, f=a): return f(x)\n"},
        ("x + 1", "x + 2"), True),
    ("default is a list", {
        MAIN: "def step(x, f=[1, 2]): return f\n"}, ("1, 2", "1, 3"), True),
    ("default built by a function", {
        MAIN: "def build(): return {'a': 1}\ndef step(x, f=build()): return f\n"},
        ("'a': 1", "'a': 2"), True),
    ("default is an instance", {
        MAIN: "class A:\n    def go(self): return 1\ndef step(x, a=A()): return a.go()\n"},
        ("return 1", "return 2"), True),
    ("attribute of a function", {
        MAIN: "def f(x): return x\nf.scale = 3\ndef step(x): return f.scale\n"},
        ("scale = 3", "scale = 4"), True),
    ("table as attribute of a function", {
        MAIN: "def f(x): return x\nf.table = {'a': 3}\ndef step(x): return f.table[x]\n"},
        ("'a': 3", "'a': 4"), True),
    ("docstring that is read", {
        MAIN: "def f(x):\n    'words'\ndef step(x): return f.__doc__\n"},
        ("words", "other words"), True),
    ("own docstring that is read", {
        MAIN: "'''words'''\ndef step(x): return __doc__\n"}, ("words", "other words"), True),
    ("annotations that are read", {
        MAIN: "import inspect\ndef f(x: int): return x\n"
              "def step(x): return inspect.signature(f).parameters\n"}, ("x: int", "x: str"), True),
    ("annotations nobody reads", {
        MAIN: "def f(x: int): return x\ndef step(x): return f(x)\n"}, ("x: int", "x: str"), False),
    ("class in a function", {
        MAIN: "def step(x):\n    class A:\n        k = 1\n        def f(self): return g()\n"
              "    return A().f()\ndef g(): return 1\n"}, ("return 1", "return 2"), True),
    ("function returned by a factory in another module", {
        MAIN: "from .lib import make\nf = make()\ndef step(x): return f(x)\n",
        "lib": "from .far import g\ndef make():\n    def h(x): return g(x)\n    return h\n",
        "far": "def g(x): return x + 1\n"}, ("x + 1", "x + 2"), True),
    ("closure over a table", {
        MAIN: "def make(t):\n    def h(x): return t[x]\n    return h\nf = make({'a': 1})\n"
              "def step(x): return f(x)\n"}, ("'a': 1", "'a': 2"), True),
    ("closure over an instance", {
        MAIN: "class A:\n    def __init__(self, k): self.k = k\n    def g(self): return self.k\n"
              "def make(a):\n    def h(x): return a.g()\n    return h\nf = make(A(1))\n"
              "def step(x): return f(x)\n"}, ("A(1)", "A(2)"), True),
    ("nonlocal counter", {
        MAIN: "def make():\n    n = 0\n    def h(x):\n        nonlocal n\n        n += 1\n"
              "        return n\n    return h\nf = make()\ndef step(x): return f(x)\n"},
        ("n = 0", "n = 5"), True),
    ("cell filled later", {
        MAIN: "def make():\n    def h(x): return g(x)\n    def g(x): return x + 1\n    return h\n"
              "f = make()\ndef step(x): return f(x)\n"}, ("x + 1", "x + 2"), True),
    ("bound method kept in a global", {
        MAIN: "class A:\n    def __init__(self, k): self.k = k\n    def g(self, x): return self.k\n"
              "f = A(3).g\ndef step(x): return f(x)\n"}, ("A(3)", "A(4)"), True),
    ("callable instance", {
        MAIN: "class A:\n    def __call__(self, x): return x + 1\nf = A()\n"
              "def step(x): return f(x)\n"}, ("x + 1", "x + 2"), True),
    ("class decorator", {
        MAIN: "def deco(c):\n    c.extra = lambda self: 1\n    return c\n@deco\nclass A: pass\n"
              "def step(x): return A().extra()\n"}, ("self: 1", "self: 2"), True),
    ("method put on a class later", {
        MAIN: "class A: pass\ndef g(self): return 1\nA.go = g\ndef step(x): return A().go()\n"},
        ("return 1", "return 2"), True),
    ("class attribute set later", {
        MAIN: "class A: pass\nA.table = {'a': 1}\ndef step(x): return A.table\n"},
        ("'a': 1", "'a': 2"), True),
    ("class table filled later", {
        MAIN: "class A:\n    table = {}\nA.table['a'] = 1\ndef step(x): return A.table\n"},
        ("= 1", "= 2"), True),
    ("class table filled by a decorator", {
        MAIN: "class A:\n    table = {}\n    @classmethod\n    def add(cls, name, k):\n"
              "        def d(f):\n            cls.table[name] = k\n            return f\n"
              "        return d\n@A.add('x', 1)\ndef f(x): return x\n"
              "def step(x): return A.table\n"}, ("'x', 1", "'x', 2"), True),
    ("registry of subclasses", {
        MAIN: "class A:\n    kinds = {}\n    def __init_subclass__(cls, **k):\n"
              "        A.kinds[cls.__name__] = cls\nclass B(A):\n    def f(self): return 1\n"
              "def step(x): return A.kinds[x]().f()\n"}, ("return 1", "return 2"), True),
    ("__subclasses__", {
        MAIN: "class A: pass\nclass B(A):\n    def f(self): return 1\n"
              "def step(x): return [c().f() for c in A.__subclasses__()]\n"},
        ("return 1", "return 2"), True),
    ("nested class", {
        MAIN: "class A:\n    class B:\n        k = 1\ndef step(x): return A.B.k\n"},
        ("k = 1", "k = 2"), True),
    ("metaclass attribute", {
        MAIN: "class M(type):\n    @property\n    def k(cls): return 1\n"
              "class A(metaclass=M): pass\n"
              "def step(x): return A.k\n"}, ("return 1", "return 2"), True),
    ("base with values", {
        MAIN: "class A(dict):\n    def f(self): return 1\n"
              "T = A(a=1)\ndef step(x): return T['a']\n"},
        ("a=1", "a=2"), True),
    ("global by globals()", {
        MAIN: "def g(x): return x + 1\ndef step(x): return globals()['g'](x)\n"},
        ("x + 1", "x + 2"), True),
    ("globals() with a computed name", {
        MAIN: "def g(x): return x + 1\ndef step(x): return globals()['g' + x](x)\n"},
        ("x + 1", "x + 2"), True),
    ("getattr on a module with a computed name", {
        MAIN: "from . import lib\ndef step(x): return getattr(lib, 'f' + x)()\n",
        "lib": "def fa(): return 1\n"}, ("return 1", "return 2"), True),
    ("importlib with a constant", {
        MAIN: "import importlib\ndef step(x): return importlib.import_module('pkg.lib').f()\n",
        "lib": "def f(): return 1\n"}, ("return 1", "return 2"), True),
    ("import_module by name", {
        MAIN: "from importlib import import_module\n"
              "def step(x): return import_module('pkg.lib').f()\n",
        "lib": "def f(): return 1\n"}, ("return 1", "return 2"), True),
    ("lazy import of a package's attribute", {
        MAIN: "def step(x):\n    import pkg.lib\n    return pkg.lib.f()\n",
        "lib": "def f(): return g()\ndef g(): return 1\n"}, ("return 1", "return 2"), True),
    ("lazy relative import of a module", {
        MAIN: "def step(x):\n    from . import lib\n    return lib.f()\n",
        "lib": "def f(): return 1\ndef g(): return 9\n"}, ("return 1", "return 2"), True),
    ("lazy relative import, other function", {
        MAIN: "def step(x):\n    from . import lib\n    return lib.f()\n",
        "lib": "def f(): return 1\ndef g(): return 9\n"}, ("return 9", "return 8"), False),
    ("lazy import used in a nested function", {
        MAIN: "def step(x):\n    from .lib import f\n    return [f(y) for y in x], lambda: f(1)\n",
        "lib": "def f(x): return 1\n"}, ("return 1", "return 2"), True),
    ("lazy import of a class", {
        MAIN: "def step(x):\n    from .lib import A\n    return A().f()\n",
        "lib": "from .far import B\nclass A(B):\n    pass\n",
        "far": "class B:\n    def f(self): return 1\n"}, ("return 1", "return 2"), True),
    ("lazy import of a decorated function", {
        MAIN: "def step(x):\n    from .lib import f\n    return f(x)\n",
        "lib": "def deco(f):\n    return lambda x: f(x) + 1\n@deco\ndef f(x): return x\n"},
        ("+ 1", "+ 2"), True),
    ("lazy import of a table filled below", {
        MAIN: "def step(x):\n    from .lib import T\n    return T\n",
        "lib": "T = {}\ndef add(k):\n    T[k] = 1\nadd('a')\n"}, ("'a'", "'b'"), True),
    ("lazy import for its effects", {
        MAIN: "def step(x):\n    import pkg.lib\n    return 1\n", "lib": "K = 1\n"},
        ("K = 1", "K = 2"), True),
    ("lazy star re-export", {
        MAIN: "def step(x):\n    from .lib import f\n    return f()\n",
        "lib": "from .far import *\n", "far": "def f(): return 1\n"},
        ("return 1", "return 2"), True),
    ("table updated in another module", {
        MAIN: "from . import lib, far\ndef step(x): return lib.T\n",
        "lib": "T = {}\n", "far": "from . import lib\nlib.T['a'] = 1\n"}, ("= 1", "= 2"), True),
    ("table updated by its own name elsewhere", {
        MAIN: "from . import lib, far\ndef step(x): return lib.T\n",
        "lib": "T = {}\n", "far": "from .lib import T\nT.update(a=1)\n"}, ("a=1", "a=2"), True),
    ("constant rebound in another module", {
        MAIN: "from . import lib, far\ndef step(x): return lib.K\n",
        "lib": "K = 1\n", "far": "from . import lib\nlib.K = 5\n"}, ("= 5", "= 6"), True),
    ("table under another name", {
        MAIN: "T = {}\nU = T\nU['a'] = 1\ndef step(x): return T\n"}, ("= 1", "= 2"), True),
    ("table filled in a loop", {
        MAIN: "T = {}\nfor i in range(3):\n    T[i] = i * 2\ndef step(x): return T\n"},
        ("i * 2", "i * 3"), True),
    ("table filled under a condition", {
        MAIN: "T = {}\nif 1 < 2:\n    T['a'] = 1\ndef step(x): return T\n"},
        ("1 < 2", "1 > 2"), True),
    ("table filled by a function that is called", {
        MAIN: "T = {}\ndef fill():\n    T['a'] = 1\nfill()\ndef step(x): return T\n"},
        ("= 1", "= 2"), True),
    ("table filled by a function handed the table", {
        MAIN: "T = {}\ndef fill(t):\n    t['a'] = 1\nfill(T)\ndef step(x): return T\n"},
        ("= 1", "= 2"), True),
    ("comprehension of a table", {
        MAIN: "K = 3\nT = {i: i + K for i in range(3)}\ndef step(x): return T\n"},
        ("K = 3", "K = 4"), True),
    ("instance changed below", {
        MAIN: "class A: pass\na = A()\na.k = 1\ndef step(x): return a.k\n"},
        ("k = 1", "k = 2"), True),
    ("instance made by a factory", {
        MAIN: "class A:\n    def __init__(self, k): self.k = k\ndef make(): return A(1)\n"
              "a = make()\ndef step(x): return a.k\n"}, ("A(1)", "A(2)"), True),
    ("lock and logger", {
        MAIN: "import logging, threading\nlog = logging.getLogger('a')\nlock = threading.Lock()\n"
              "OTHER = 1\ndef step(x):\n    with lock:\n        log.info('x')\n    return x\n"},
        ("OTHER = 1", "OTHER = 2"), False),
    ("try import, fall back", {
        MAIN: "try:\n    from .nowhere import f\nexcept ImportError:\n"
              "    def f(x): return x + 1\ndef step(x): return f(x)\n"}, ("x + 1", "x + 2"), True),
    ("walrus in a comprehension", {
        MAIN: "K = 1\ndef step(x): return [y for z in x if (y := z + K)]\n"},
        ("K = 1", "K = 2"), True),
    ("class pattern", {
        MAIN: "class P:\n    __match_args__ = ('a', 'b')\n"
              "    def __init__(self): self.a, self.b = 1, 2\n"
              "def step(x):\n    match x:\n        case P(a): return a\n"},
        ("('a', 'b')", "('b', 'a')"), True),
    ("value pattern", {
        MAIN: "from . import lib\ndef step(x):\n    match x:\n        case lib.K: return 1\n",
        "lib": "K = 1\n"}, ("K = 1", "K = 2"), True),
    ("format string", {
        MAIN: "K = 1\ndef step(x): return f'{x:{K}}'\n"}, ("K = 1", "K = 2"), True),
    ("exception class", {
        MAIN: "class E(Exception):\n    def __str__(self): return 'a'\n"
              "def step(x):\n    try: return x()\n    except E as e: return str(e)\n"},
        ("'a'", "'b'"), True),
    ("assertion", {MAIN: "def step(x):\n    assert x > 1\n    return x\n"},
     ("x > 1", "x > 2"), True),
    ("order of arguments", {MAIN: "def step(x, y=1, z=2): return x, y, z\n"},
     ("y=1, z=2", "z=2, y=1"), True),
    ("keyword only", {MAIN: "def step(x, y=1): return x, y\n"}, ("x, y=1", "x, *, y=1"), True),
    ("await and yield", {MAIN: "def step(x):\n    yield x\n"}, ("yield x", "return x"), True),
    ("is and ==", {MAIN: "def step(x): return x == None\n"}, ("==", "is"), True),
    ("-0.0", {MAIN: "def step(x): return x * 0.0\n"}, ("0.0", "-0.0"), True),
    ("1 and True", {MAIN: "K = 1\ndef step(x): return K\n"}, ("K = 1", "K = True"), True),
    ("text and bytes", {MAIN: "K = 'a'\ndef step(x): return K\n"}, ("'a'", "b'a'"), True),
    ("indentation that matters", {
        MAIN: "def step(x):\n    for i in x:\n        a = i\n        b = i\n    return a, b\n"},
        ("        b = i", "    b = i"), True),
    ("text within triple quotes", {MAIN: "def step(x):\n    return '''a\n  b'''\n"},
     ("\n  b", "\n   b"), True),
    ("comment sign in a text", {MAIN: "def step(x): return 'a # b'\n"}, ("# b", "# c"), True),
    ("private name", {
        MAIN: "class A:\n    __k = 1\n    def f(self): return self.__k\n"
              "def step(x): return A().f()\n"},
        ("__k = 1", "__k = 2"), True),
    ("__call__ of a metaclass", {
        MAIN: "class M(type):\n    def __call__(cls): return 1\nclass A(metaclass=M): pass\n"
              "def step(x): return A()\n"}, ("return 1", "return 2"), True),
    ("__getattr__ of a module", {
        MAIN: "from . import lib\ndef step(x): return lib.made\n",
        "lib": "def __getattr__(name): return 1\n"}, ("return 1", "return 2"), True),
    ("__missing__ of a table", {
        MAIN: "class T(dict):\n    def __missing__(self, k): return 1\nt = T()\n"
              "def step(x): return t[x]\n"}, ("return 1", "return 2"), True),
    ("defaultdict's factory", {
        MAIN: "from collections import defaultdict\ndef one(): return 1\nt = defaultdict(one)\n"
              "def step(x): return t[x]\n"}, ("return 1", "return 2"), True),
    ("sorted with a key", {
        MAIN: "def key(x): return -x\ndef step(x): return sorted(x, key=key)\n"},
        ("return -x", "return x"), True),
    ("functools.reduce over a partial", {
        MAIN: "from functools import partial, reduce\ndef add(k, a, b): return a + b + k\n"
              "f = partial(reduce, partial(add, 1))\ndef step(x): return f(x)\n"},
        ("add, 1", "add, 2"), True),
    ("partial of a table", {
        MAIN: "from functools import partial\ndef get(t, k): return t[k]\n"
              "f = partial(get, {'a': 1})\n"
              "def step(x): return f(x)\n"}, ("'a': 1", "'a': 2"), True),
    ("cached property of an instance's class", {
        MAIN: "from functools import cached_property\nclass A:\n    @cached_property\n"
              "    def k(self): return g()\ndef g(): return 1\na = A()\ndef step(x): return a.k\n"},
        ("return 1", "return 2"), True),
    ("named tuple made by a call", {
        MAIN: "from collections import namedtuple\nP = namedtuple('P', 'a b')\n"
              "def step(x): return P(1, 2)\n"}, ("'a b'", "'b a'"), True),
    ("type alias", {
        MAIN: "Number = int\ndef step(x): return Number(x)\n"}, ("= int", "= float"), True),
    ("typed dict", {
        MAIN: "from typing import TypedDict\nclass T(TypedDict):\n    a: int\n"
              "def step(x): return T.__annotations__\n"}, ("a: int", "a: str"), True),
    ("module-level unpacking", {
        MAIN: "A, *B = 1, [2], [3]\ndef step(x): return B\n"}, ("[3]", "[4]"), True),
    ("environment of a compiled expression", {
        MAIN: "OTHER = 1\ndef step(x): return x\n"}, ("OTHER = 1", "OTHER = 2"), False),
    ("registered functions do not reach each other", {
        MAIN: "T = {}\ndef add(f):\n    T[f.__name__] = f\n    return f\n@add\n"
              "def step(x): return x\n@add\ndef other(x): return x + 1\n"},
        ("x + 1", "x + 2"), False),
    ("method of another class by equal name", {
        MAIN: "class A:\n    def f(self): return 1\nclass B:\n    def f(self): return 9\n"
              "def step(x): return A().f()\n"}, ("return 9", "return 8"), False),
    ("local variable with the name of a function", {
        MAIN: "def f(): return 9\ndef step(x):\n    f = x\n    return f\n"},
        ("return 9", "return 8"), False),
    ("argument with the name of a function", {
        MAIN: "def f(): return 9\ndef step(f): return [f for f in f]\n"},
        ("return 9", "return 8"), False),
    ("attribute with the name of a function", {
        MAIN: "def f(): return 9\ndef step(x): return x.f\n"}, ("return 9", "return 8"), False),
    ("main block", {
        MAIN: "def step(x): return x\nif __name__ == '__main__':\n    print(step(1))\n"},
        ("step(1)", "step(2)"), False),
    ("module-level print", {
        MAIN: "T = [1]\ndef step(x): return x\nT.append(2)\n"}, ("(2)", "(3)"), False),
    ("place of the file", {
        MAIN: "from pathlib import Path\nHERE = Path(__file__).resolve().parent\n"
              "DATA = str(HERE / 'a.csv')\ndef step(x): return DATA, __file__\nOTHER = 1\n"},
        ("OTHER = 1", "OTHER = 2"), False),
    ("memo of a decorator", {
        MAIN: "def memo(f):\n    seen = {}\n    def w(x):\n        if x not in seen:\n"
              "            seen[x] = f(x)\n        return seen[x]\n    return w\n@memo\n"
              "def g(x): return x\ng(1)\ndef step(x): return g(x)\n"}, ("g(1)", "g(2)"), False),
    ("order of class members", {
        MAIN: "class A:\n    def f(self): return 1\n    def g(self): return 2\n"
              "def step(x): return A().f()\n"},
        ("    def f(self): return 1\n    def g(self): return 2\n",
         "    def g(self): return 2\n    def f(self): return 1\n"), False),
]  # fmt: skip

READER = """
import importlib, json, sys
from batchwright.caching.code import describe
out = {}
for folder in sys.argv[1:]:
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    facts = describe(importlib.import_module("pkg.main").step)
    out[folder.rpartition("/")[2]] = facts.digest
    sys.path.remove(folder)
    for name in [name for name in sys.modules if name.partition(".")[0] == "pkg"]:
        del sys.modules[name]
json.dump(out, sys.stdout)
"""


@pytest.fixture(scope="module")
def digests(tmp_path_factory: pytest.TempPathFactory) -> Any:
    root = tmp_path_factory.mktemp("roads")
    folders = []
    for number, (_, files, (old, new), _) in enumerate(ROADS):
        assert any(old in text for text in files.values())
        for variant in ("before", "after"):
            package: Path = root / f"{number}-{variant}" / "pkg"
            package.mkdir(parents=True)
            folders.append(package.parent.as_posix())
            (package / "__init__.py").touch()
            for name, text in files.items():
                changed = text if variant == "before" else text.replace(old, new)
                (package / f"{name}.py").write_text(changed)
    done = subprocess.run(  # our own interpreter, our own text
        [sys.executable, "-c", READER, *folders], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("number", range(len(ROADS)), ids=[road[0] for road in ROADS])
def test_the_edit_at_the_end_of_the_road_is_seen(digests: dict[str, str], number: int) -> None:
    changed = digests[f"{number}-before"] != digests[f"{number}-after"]
    assert changed == ROADS[number][3]
