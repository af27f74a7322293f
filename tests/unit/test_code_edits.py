"""The edit matrix: each edit of a small package changes exactly the digests that it must.

Every variant of the package lies in a folder of its own, so each row also shows that moving a
folder changes nothing. All variants are read in one fresh process after they were written, as in
a night's run.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BASE: dict[str, str] = {
    "shop/__init__.py": """
from .core import helper as exported
from .stars import *
""",
    "shop/stars.py": """
__all__ = ["starred"]
def starred(x):
    return x + 41
def unstarred(x):
    return x + 43
""",
    "shop/core.py": '''
"""Helpers."""
import dataclasses
import datetime
import enum
import functools
import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

LIMIT = 3
NAME = "shop"
PAIR = (1, 2.0)
WORDS = frozenset({"alpha", "beta", "gamma"})
PATTERN = re.compile("a+b", re.I)
DAY = datetime.date(2024, 1, 2)
WEIGHTS = np.array([1.0, 2.0])
ROOT = Path(__file__).parent
DATA = ROOT / "data.csv"

@dataclasses.dataclass(frozen=True)
class Rate:
    value: float
    unit: str = "eur"
    def gross(self):
        return self.value * 1.2

RATE = Rate(2.0)

class Slotted:
    __slots__ = ("a", "b")
    def __init__(self, a, b):
        self.a = a
        self.b = b
    def total(self):
        return self.a + self.b

SLOTTED = Slotted(1, 2)

class Colour(enum.Enum):
    RED = 1
    BLUE = 2
    def shade(self):
        return self.value + 7

class Point(NamedTuple):
    x: int
    y: int = 5
    def norm(self):
        return self.x + self.y

def helper(x):
    """Adds."""
    return deeper(x) + LIMIT

def deeper(x):
    return x * 2

def unrelated(x):
    return x * 1000

def even(n):
    return n == 0 or odd(n - 1)

def odd(n):
    return n != 0 and even(n - 1)

def make(factor):
    def inner(x):
        return x * factor
    return inner

double = make(2)
triple = make(3)
first, second = helper, deeper
plus = functools.partial(helper, 1)
minus = lambda x: x - 1
times = lambda x: x * 9
''',
    "shop/tables.py": """
def build():
    return {"a": weight()}

def weight():
    return 10

TABLE = {"k": 1, "l": 2}
TABLE["m"] = 3
TABLE.update(n=4)
BUILT = build()
HANDLERS = {}
PRIORITIES = {}
CHECKS = []
_memo = {}
COUNT = 0
MODE = "fast"

def register(name, priority=1):
    def decorate(function):
        HANDLERS[name] = function
        PRIORITIES[name] = priority
        return function
    return decorate

def check(function):
    CHECKS.append(lambda x: function(x))
    return function

def remember(x):
    if x not in _memo:
        _memo[x] = x + 5
    return _memo[x]

def count(x):
    global COUNT
    COUNT += 1
    return x + COUNT

def set_mode(mode):
    global MODE
    MODE = mode

class Engine:
    def __init__(self, power):
        self.power = power
    def run(self, x):
        return x * self.power

ENGINE = Engine(3)
""",
    "shop/plugins.py": """
from .tables import HANDLERS, check, register, set_mode

@register("one", priority=5)
def one(x):
    return x + 1

@register("two")
def two(x):
    return x + 2

@check
def positive(x):
    return x > 0

set_mode("slow")
""",
    "shop/deco.py": """
import contextlib
import functools

def traced(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return note(function(*args, **kwargs))
    return wrapper

def note(x):
    return x

def scaled(by):
    def decorate(function):
        @functools.wraps(function)
        def wrapper(x):
            return function(x) * by
        return wrapper
    return decorate

def memoised(function):
    known = {}
    @functools.wraps(function)
    def wrapper(x):
        if x not in known:
            known[x] = function(x)
        return known[x]
    return wrapper

class Descriptor:
    def __init__(self, base):
        self.base = base
    def __get__(self, instance, owner):
        return self.base + extra()

def extra():
    return 4

@contextlib.contextmanager
def opened(x):
    yield x + 11

@functools.singledispatch
def shown(x):
    return "other"

@shown.register
def _(x: int):
    return "int"

@shown.register(str)
def shown_text(x):
    return "text"
""",
    "shop/lazy.py": """
import math
from .lazier import CONSTANT
def late(x):
    return later(x) + CONSTANT
def later(x):
    return math.floor(x)
def never(x):
    return 0
""",
    "shop/lazier.py": """
CONSTANT = 6
OTHER = 7
""",
    "shop/bases.py": """
class Root:
    depth = 1
    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.tag = cls.__name__ + "!"
    def greet(self):
        return "root"
    def inherited(self):
        return self.hook()
    def hook(self):
        return "root hook"

class Mixin:
    def mixed(self):
        return 13

class Meta(type):
    def __call__(cls, *args, **kwargs):
        return super().__call__(*args, **kwargs)
""",
    "shop/models.py": """
import dataclasses
import functools
from . import core, deco
from .bases import Meta, Mixin, Root

class Model(Mixin, Root, metaclass=Meta):
    rate = 5
    names = ["a", "b"]
    described = deco.Descriptor(3)

    def __init__(self, scale=2):
        self.scale = scale
        self.prepare()

    def prepare(self):
        self.ready = True

    def fit(self, x):
        return self.step(x) * self.rate

    def step(self, x):
        return core.deeper(x) + self.scale

    def alone(self, x):
        return x

    @property
    def size(self):
        return len(self.names)

    @functools.cached_property
    def cached(self):
        return self.size + 1

    @classmethod
    def build(cls):
        return cls.default()

    @classmethod
    def default(cls):
        return cls.rate

    @staticmethod
    def pure(x):
        return core.minus(x)

    @deco.scaled(2)
    def decorated(self, x):
        return x

    fitted = functools.partialmethod(fit, 3)

    def uses_property(self):
        return self.size

    def uses_cached(self):
        return self.cached

    def uses_pure(self):
        return self.pure(1)

    def uses_build(self):
        return self.build()

    def uses_partial(self):
        return self.fitted()

    def uses_descriptor(self):
        return self.described

    def uses_decorated(self):
        return self.decorated(3)

    def greet(self):
        return super().greet() + "model"

    def hook(self):
        return "model hook"

    def mixing(self):
        return self.mixed()

    def itself(self):
        return core.helper(self)

    def nested(self):
        return [self.alone(x) for x in range(self.depth)]

    def named(self):
        return getattr(self, "alone")(1)

@dataclasses.dataclass
class Config:
    size: int = 3
    tags: list = dataclasses.field(default_factory=list)
    def doubled(self):
        return self.size * 2

class Child(Model):
    rate = 6
""",
    "shop/steps.py": """
import functools
import operator
import shop
import shop.core as c
from shop import exported, starred
from . import core, deco, models, plugins, tables
from .core import LIMIT as bound, Colour, Point, Rate
from .deco import memoised, scaled, traced

def e_helper(x): return core.helper(x)
def e_alias(x): return exported(x)
def e_star(x): return starred(x)
def e_chain(x): return shop.core.deeper(x)
def e_as(x): return c.deeper(x)
def e_limit(x): return bound
def e_default(x, n=core.LIMIT): return x + n
def e_keyword(x, *, f=core.deeper): return f(x)
def e_name(x): return core.NAME
def e_pair(x): return core.PAIR
def e_words(x): return sorted(core.WORDS)
def e_pattern(x): return core.PATTERN.match(x)
def e_day(x): return core.DAY
def e_weights(x): return core.WEIGHTS * x
def e_data(x): return core.DATA
def e_rate(x): return core.RATE.value
def e_slotted(x): return core.SLOTTED.total()
def e_enum(x): return Colour.RED
def e_point(x): return Point(1)
def e_match(x):
    match x:
        case Rate(value=v):
            return v
def e_even(x): return core.even(x)
def e_double(x): return core.double(x)
def e_triple(x): return core.triple(x)
def e_first(x): return core.first(x)
def e_plus(x): return core.plus()
def e_minus(x): return core.minus(x)
def e_nested(x):
    def go(y):
        return (lambda z: core.deeper(z))(y)
    return go(x)
def e_comprehension(x): return [core.deeper(y) for y in x]
def e_generator(x):
    for y in x:
        yield core.deeper(y)
async def e_async(x): return core.deeper(x)
def e_table(x): return tables.TABLE[x]
def e_built(x): return tables.BUILT
def e_handlers(x): return tables.HANDLERS["one"](x)
def e_priorities(x): return tables.PRIORITIES
def e_checks(x): return [check(x) for check in tables.CHECKS]
def e_memo(x): return tables.remember(x)
def e_count(x): return tables.count(x)
def e_mode(x): return tables.MODE
def e_engine(x): return tables.ENGINE.run(x)
@traced
def e_traced(x): return x
@scaled(3)
def e_scaled(x): return x
@memoised
def e_memoised(x): return x
@functools.lru_cache(maxsize=9)
def e_cached(x): return core.deeper(x)
def e_opened(x):
    with deco.opened(x) as y:
        return y
def e_shown(x): return deco.shown(x)
def e_lazy(x):
    from .lazy import late
    return late(x)
def e_lazy_module(x):
    import shop.lazy as lazy
    return lazy.later(x)
def e_class(x): return models.Config(x)
def e_getattr(x): return getattr(core, "deeper")(x)
def e_whole(x): return operator.attrgetter(x)(tables)
e_partial = functools.partial(core.helper, 7)
e_lambda = lambda x: core.deeper(x) + 1
e_other_lambda = lambda x: x
def e_plain(x):
    '''Documented.'''
    y = x + 1  # commented
    if y > 3 and x < 4 or y == 9:
        return [y, x]
    return "text"
""",
}

STEPS = [
    line.split("(")[0].split(" ")[-1] if line.startswith(("def", "async")) else line.split(" ")[0]
    for line in BASE["shop/steps.py"].splitlines()
    if line.startswith(("def e_", "async def e_", "e_"))
]
METHODS = [
    *("fit", "step", "alone", "uses_property", "uses_cached", "uses_pure", "uses_build"),
    *("uses_partial", "uses_descriptor", "uses_decorated", "greet", "inherited", "mixing"),
    *("itself", "nested", "named"),
]
CHILD = ["Child.fit", "Child.alone"]
ENTRIES = [*STEPS, *(f"Model.{name}" for name in METHODS), *CHILD, "Model()", "Config()", "Child()"]

CORE, TABLES, DECO = "shop/core.py", "shop/tables.py", "shop/deco.py"
MODELS, BASES, STEP = "shop/models.py", "shop/bases.py", "shop/steps.py"

DEEPER = {
    *("e_helper", "e_alias", "e_chain", "e_as", "e_keyword", "e_first", "e_plus", "e_nested"),
    *("e_comprehension", "e_generator", "e_async", "e_cached", "e_getattr", "e_partial"),
    *("e_lambda", "Model.fit", "Model.step", "Child.fit", "Model.uses_partial"),
    *("Model.itself",),
}
HELPER = {"e_helper", "e_alias", "e_first", "e_plus", "e_partial", "Model.itself"}
LAZY = {"e_lazy", "e_lazy_module"}
ITSELF = {"Model.itself"}

# name, file, old text, new text, the entries whose digests change
EDITS: list[tuple[str, str, str, str, set[str]]] = [
    ("helper", CORE, "deeper(x) + LIMIT", "deeper(x) - LIMIT", HELPER),
    ("helper of a helper", CORE, "return x * 2", "return x * 3", DEEPER),
    ("constant", CORE, "LIMIT = 3", "LIMIT = 4", HELPER | {"e_limit", "e_default"}),
    ("type of a constant", CORE, "LIMIT = 3", "LIMIT = 3.0", HELPER | {"e_limit", "e_default"}),
    ("text", CORE, 'NAME = "shop"', 'NAME = "store"', {"e_name"}),
    ("tuple", CORE, "(1, 2.0)", "(1, 2)", {"e_pair"}),
    ("frozenset", CORE, '"gamma"', '"delta"', {"e_words"}),
    ("regular expression", CORE, '"a+b"', '"a*b"', {"e_pattern"}),
    ("regular expression's flags", CORE, "re.I)", "re.M)", {"e_pattern"}),
    ("date", CORE, "2024, 1, 2", "2024, 1, 3", {"e_day"}),
    ("array", CORE, "[1.0, 2.0]", "[1.0, 2.5]", {"e_weights"}),
    ("path", CORE, '"data.csv"', '"data.tsv"', {"e_data"}),
    ("path's folder", CORE, "(__file__).parent", "(__file__).parent.parent", {"e_data"}),
    ("frozen instance", CORE, "RATE = Rate(2.0)", "RATE = Rate(2.5)", {"e_rate"}),
    ("frozen default", CORE, '"eur"', '"usd"', {"e_rate", "e_match"}),
    ("method of a dataclass", CORE, "* 1.2", "* 1.3", {"e_rate", "e_match"}),
    ("slots", CORE, "Slotted(1, 2)", "Slotted(1, 3)", {"e_slotted"}),
    ("method of slots", CORE, "self.a + self.b", "self.a - self.b", {"e_slotted"}),
    ("enum value", CORE, "RED = 1", "RED = 11", {"e_enum"}),
    ("enum method", CORE, "self.value + 7", "self.value + 8", {"e_enum"}),
    ("named tuple default", CORE, "y: int = 5", "y: int = 6", {"e_point"}),
    ("named tuple method", CORE, "self.x + self.y", "self.x - self.y", {"e_point"}),
    ("recursion", CORE, "n != 0 and", "n > 0 and", {"e_even"}),
    ("closure value", CORE, "make(2)", "make(4)", {"e_double"}),
    ("closures exchanged", CORE, "double = make(2)\ntriple = make(3)",
     "double = make(3)\ntriple = make(2)", {"e_double", "e_triple"}),
    ("closure's code", CORE, "return x * factor", "return x + factor", {"e_double", "e_triple"}),
    ("alias", CORE, "first, second = helper, deeper", "first, second = deeper, helper",
     {"e_first"}),
    ("partial's argument", CORE, "partial(helper, 1)", "partial(helper, 2)", {"e_plus"}),
    ("lambda", CORE, "x: x - 1", "x: x - 2", {"e_minus", "Model.uses_pure", *ITSELF}),
    ("lambdas exchanged", CORE, "minus = lambda x: x - 1\ntimes = lambda x: x * 9",
     "times = lambda x: x - 1\nminus = lambda x: x * 9",
     {"e_minus", "Model.uses_pure", *ITSELF}),
    ("re-export", "shop/__init__.py", "helper as exported", "deeper as exported", {"e_alias"}),
    ("star import", "shop/stars.py", "x + 41", "x + 42", {"e_star"}),
    ("table's literal", TABLES, '"l": 2', '"l": 3', {"e_table", "e_whole"}),
    ("table's item", TABLES, 'TABLE["m"] = 3', 'TABLE["m"] = 4', {"e_table", "e_whole"}),
    ("table's update", TABLES, "n=4", "n=5", {"e_table", "e_whole"}),
    ("table's builder", TABLES, "return 10", "return 11", {"e_built", "e_whole"}),
    ("registered function", "shop/plugins.py", "return x + 1", "return x + 10",
     {"e_handlers", "e_whole", "e_priorities"}),
    ("registered value", "shop/plugins.py", "priority=5", "priority=6",
     {"e_priorities", "e_handlers", "e_whole"}),
    ("registered closure", "shop/plugins.py", "x > 0", "x > 1", {"e_checks", "e_whole"}),
    ("function that uses a memo", TABLES, "x + 5", "x + 6", {"e_memo", "e_whole"}),
    ("counter's start", TABLES, "COUNT = 0", "COUNT = 1", {"e_count", "e_whole"}),
    ("mode set at import", "shop/plugins.py", 'set_mode("slow")', 'set_mode("fast")',
     {"e_mode", "e_whole"}),
    ("instance", TABLES, "Engine(3)", "Engine(4)", {"e_engine", "e_whole"}),
    ("class of an instance", TABLES, "x * self.power", "x + self.power",
     {"e_engine", "e_whole"}),
    ("wraps", DECO, "return note(function(", "return (function(", {"e_traced"}),
    ("helper of a wrapper", DECO, "def note(x):\n    return x", "def note(x):\n    return -x",
     {"e_traced"}),
    ("decorator's argument", STEP, "@scaled(3)", "@scaled(4)", {"e_scaled"}),
    ("decorator added", STEP, "def e_plain(x)", "@traced\ndef e_plain(x)", {"e_plain"}),
    ("decorator taken away", STEP, "@traced\n", "", {"e_traced"}),
    ("memoising decorator", DECO, "known[x] = function(x)", "known[x] = function(x + 1)",
     {"e_memoised"}),
    ("context manager", DECO, "x + 11", "x + 12", {"e_opened"}),
    ("singledispatch, annotated", DECO, '"int"', '"integer"', {"e_shown"}),
    ("singledispatch, named", DECO, '"text"', '"str"', {"e_shown"}),
    ("singledispatch, type", DECO, "register(str)", "register(bytes)", {"e_shown"}),
    ("lazy import", "shop/lazy.py", "later(x) +", "later(x) -", {"e_lazy"}),
    ("lazy import's helper", "shop/lazy.py", "math.floor", "math.ceil", LAZY),
    ("lazy import's constant", "shop/lazier.py", "CONSTANT = 6", "CONSTANT = 66", {"e_lazy"}),
    ("dataclass default", MODELS, "size: int = 3", "size: int = 4", {"e_class", "Config()"}),
    ("dataclass field", MODELS, "size: int = 3", "size: int = 3\n    more: int = 1",
     {"e_class", "Config()"}),
    ("dataclass factory", MODELS, "default_factory=list", "default_factory=set",
     {"e_class", "Config()"}),
    ("dataclass method", MODELS, "self.size * 2", "self.size * 3", {"e_class"}),
    ("dataclass flag", MODELS, "@dataclasses.dataclass\n", "@dataclasses.dataclass(order=True)\n",
     {"e_class", "Config()"}),
    ("own default", STEP, "n=core.LIMIT", "n=30", {"e_default"}),
    ("own code", STEP, 'return "text"', 'return "txt"', {"e_plain"}),
    ("operator", STEP, "y > 3 and", "y >= 3 and", {"e_plain"}),
    ("attribute by name", STEP, '"deeper")(x)', '"unrelated")(x)', {"e_getattr"}),
    ("own lambda", STEP, "core.deeper(x) + 1", "core.deeper(x) + 2", {"e_lambda"}),
    ("own partial", STEP, "core.helper, 7", "core.helper, 8", {"e_partial"}),
    ("match", STEP, "Rate(value=v)", "Rate(unit=v)", {"e_match"}),
    ("method", MODELS, "* self.rate", "+ self.rate",
     {"Model.fit", "Model.uses_partial", "Child.fit", *ITSELF}),
    ("helper method", MODELS, "+ self.scale", "- self.scale",
     {"Model.fit", "Model.step", "Model.uses_partial", "Child.fit", *ITSELF}),
    ("class attribute", MODELS, "rate = 5", "rate = 7",
     {"Model.fit", "Model.uses_partial", "Model.uses_build", *ITSELF}),
    ("overriding attribute", MODELS, "rate = 6", "rate = 8", {"Child.fit"}),
    ("override added", MODELS, "    rate = 6", "    rate = 6\n    def step(self, x): return x",
     {"Child.fit"}),
    ("mutable class attribute", MODELS, '["a", "b"]', '["a", "c"]',
     {"Model.uses_property", "Model.uses_cached", *ITSELF}),
    ("property", MODELS, "len(self.names)", "-len(self.names)",
     {"Model.uses_property", "Model.uses_cached", *ITSELF}),
    ("cached property", MODELS, "self.size + 1", "self.size + 2", {"Model.uses_cached", *ITSELF}),
    ("static method", MODELS, "core.minus(x)", "core.times(x)", {"Model.uses_pure", *ITSELF}),
    ("class method", MODELS, "return cls.default()", "return -cls.default()",
     {"Model.uses_build", *ITSELF}),
    ("class method's helper", MODELS, "return cls.rate", "return -cls.rate",
     {"Model.uses_build", *ITSELF}),
    ("partial method", MODELS, "(fit, 3)", "(fit, 4)", {"Model.uses_partial", *ITSELF}),
    ("descriptor's argument", MODELS, "Descriptor(3)", "Descriptor(4)",
     {"Model.uses_descriptor", *ITSELF}),
    ("descriptor's helper", DECO, "return 4", "return 5", {"Model.uses_descriptor", *ITSELF}),
    ("method's decorator", MODELS, "scaled(2)", "scaled(5)", {"Model.uses_decorated", *ITSELF}),
    ("overridden by super", BASES, 'return "root"', 'return "base"', {"Model.greet", *ITSELF}),
    ("hook of an inherited method", MODELS, '"model hook"', '"hook"',
     {"Model.inherited", *ITSELF}),
    ("inherited method", BASES, "return self.hook()", "return self.hook() + 1",
     {"Model.inherited", *ITSELF}),
    ("hidden hook", BASES, '"root hook"', '"hook"', ITSELF),
    ("mixin", BASES, "return 13", "return 14", {"Model.mixing", *ITSELF}),
    ("attribute of a base", BASES, "depth = 1", "depth = 2", {"Model.nested", *ITSELF}),
    ("by a comprehension", MODELS, "def alone(self, x):\n        return x",
     "def alone(self, x):\n        return -x",
     {"Model.alone", "Model.nested", "Model.named", "Child.alone", *ITSELF}),
    ("constructor", MODELS, "self.scale = scale", "self.scale = scale + 1",
     {"Model()", "Child()", *ITSELF}),
    ("constructor's default", MODELS, "scale=2", "scale=3", {"Model()", "Child()", *ITSELF}),
    ("constructor's helper", MODELS, "self.ready = True", "self.ready = False",
     {"Model()", "Child()", *ITSELF}),
    ("metaclass", BASES, "return super().__call__(", "return 0 or super().__call__(",
     {"Model()", "Child()", *ITSELF}),
    ("__init_subclass__", BASES, '+ "!"', '+ "?"', {"Model()", "Child()", *ITSELF}),
    ("base taken away", MODELS, "Model(Mixin, Root,", "Model(Root,",
     {"Model.mixing", *ITSELF}),
    # what must change nothing
    ("comment", CORE, "def deeper(x):", "# a comment\ndef deeper(x):  # another", set()),
    ("blank lines", CORE, "def deeper(x):\n", "\n\n\ndef deeper(x):\n\n", set()),
    ("docstring changed", CORE, '"""Adds."""', '"""Adds more."""', set()),
    ("docstring added", CORE, "def deeper(x):", 'def deeper(x):\n    """Doubles."""', set()),
    ("docstring taken away", STEP, "    '''Documented.'''\n", "", set()),
    ("module's docstring", CORE, '"""Helpers."""', '"""Other words."""', set()),
    ("parentheses", CORE, "return deeper(x) + LIMIT", "return (\n  (deeper(x)) + LIMIT\n )", set()),
    ("layout of a condition", STEP, "if y > 3 and x < 4 or y == 9:",
     "if (\n        y > 3\n        and x < 4\n        or y == 9\n    ):", set()),
    ("quotes", STEP, 'return "text"', "return 'text'", set()),
    ("indentation", STEP, "        return [y, x]", "            return [y, x]", set()),
    ("pass", STEP, "    y = x + 1", "    pass\n    y = x + 1", set()),
    ("numbers written otherwise", CORE, "x * 1000", "x * 1_000", set()),
    ("unrelated function", CORE, "x * 1000", "x * 1001", set()),
    ("unrelated function added", CORE, "def unrelated(", "def newcomer(): pass\ndef unrelated(",
     set()),
    ("unrelated constant", CORE, "LIMIT = 3", "OTHER = 9\nLIMIT = 3", set()),
    ("unrelated import", CORE, "import functools", "import functools, json", set()),
    ("order of functions", CORE,
     ("def even(n):\n    return n == 0 or odd(n - 1)\n\n"
     "def odd(n):\n    return n != 0 and even(n - 1)"),
     ("def odd(n):\n    return n != 0 and even(n - 1)\n\n"
     "def even(n):\n    return n == 0 or odd(n - 1)"),
     set()),
    ("unrelated class", MODELS, "class Child(Model):",
     "class Alien:\n    x = 1\n\nclass Child(Model):",
     set()),
    ("unrelated lazy function", "shop/lazy.py", "return 0", "return 1", set()),
    ("unrelated lazy constant", "shop/lazier.py", "OTHER = 7", "OTHER = 8", set()),
    ("not in __all__", "shop/stars.py", "x + 43", "x + 44", set()),
    ("comment in a table", TABLES, '"l": 2}', '"l": 2,  # two\n}', set()),
    ("comment in a class", MODELS, "    rate = 5", "    # per hour\n    rate = 5", set()),
    ("docstring of a class", MODELS, "class Config:", 'class Config:\n    """Settings."""', set()),
    ("constant computed otherwise", CORE, "LIMIT = 3", "LIMIT = 1 + 2", set()),
    ("order of a set", CORE, '{"alpha", "beta", "gamma"}', '{"gamma", "beta", "alpha"}', set()),
    ("annotation of a variable", STEP, "    y = x + 1", "    y: int = x + 1", set()),
    ("line ends", CORE, "\n", "\r\n", set()),
    ("tabs", CORE, "\n    return x * 2", "\n\treturn x * 2", set()),
    ("import added", STEP, "import operator\n", "import operator\nimport json\n", set()),
]  # fmt: skip

READER = """
import importlib, json, sys
from batchwright.caching.code import describe, describe_constructor, describe_method
out = {}
for folder in sys.argv[2:]:
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    steps = importlib.import_module("shop.steps")
    found = {}
    for entry in json.loads(sys.argv[1]):
        if entry.endswith("()"):
            facts = describe_constructor(getattr(steps.models, entry[:-2]))
        elif "." in entry:
            kind, name = entry.split(".")
            facts = describe_method(getattr(steps.models, kind), name)
        else:
            facts = describe(getattr(steps, entry))
        found[entry] = {"digest": facts.digest, "parts": facts.parts, "files": facts.files}
    out[folder] = found
    sys.path.remove(folder)
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        del sys.modules[name]
json.dump(out, sys.stdout)
"""

Facts = dict[str, dict[str, object]]


def write_package(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return folder


def read_packages(folders: list[Path]) -> dict[str, Facts]:
    done = subprocess.run(  # our own interpreter, our own text
        [sys.executable, "-c", READER, json.dumps(ENTRIES), *map(str, folders)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Facts]:
    root = tmp_path_factory.mktemp("edits")
    folders = [write_package(root / "base", BASE)]
    for number, (_, file, old, new, _) in enumerate(EDITS):
        assert old in BASE[file], (file, old)
        changed = {**BASE, file: BASE[file].replace(old, new)}
        folders.append(write_package(root / str(number), changed))
    read = read_packages(folders)
    return {Path(folder).name: found for folder, found in read.items()}


@pytest.mark.parametrize("number", range(len(EDITS)), ids=[edit[0] for edit in EDITS])
def test_an_edit_changes_exactly_what_it_can_change(facts: dict[str, Facts], number: int) -> None:
    base, edited = facts["base"], facts[str(number)]
    changed = {entry for entry in ENTRIES if base[entry]["digest"] != edited[entry]["digest"]}
    assert changed == EDITS[number][4]
