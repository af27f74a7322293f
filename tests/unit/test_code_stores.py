"""Which attributes of `self` a method is found to change."""

from __future__ import annotations

import importlib
import itertools
import linecache
import sys
from typing import TYPE_CHECKING

import pytest

from batchwright.caching.code import describe_method

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

SOURCE = """
import functools

def fill(target, value):
    target.filled = value

def pass_on(thing):
    fill(value=1, target=thing)

def only_reads(thing):
    return thing.a

def traced(function):
    @functools.wraps(function)
    def wrapper(self, *args):
        return function(self, *args)
    return wrapper

class Base:
    def set_base(self):
        self.base = 1
    def set_hook(self):
        self.hook()
    def hook(self):
        pass

class Store(Base):
    def __init__(self):
        self.a = 1
    def plain(self):
        self.a = 1
    def several(self, x):
        self.a, (self.b, *self.c) = x
    def chained(self):
        self.a = self.b = 0
    def augmented(self):
        self.n += 1
    def annotated(self):
        self.a: int = 1
    def deleted(self):
        del self.a
    def alias(self):
        me = self
        me.a = 1
    def alias_of_alias(self):
        me = self
        you = me
        you.a = 1
    def walrus(self):
        if (me := self):
            me.a = 1
    def by_setattr(self):
        setattr(self, "a", 1)
    def by_computed_setattr(self, name):
        setattr(self, name, 1)
    def by_delattr(self):
        delattr(self, "a")
    def by_dict(self):
        self.__dict__["a"] = 1
    def by_dict_update(self):
        self.__dict__.update(a=1)
    def by_vars(self):
        vars(self)["a"] = 1
    def by_object(self):
        object.__setattr__(self, "a", 1)
    def by_super_setattr(self):
        super().__setattr__("a", 1)
    def by_helper(self):
        self.plain()
    def by_helper_of_helper(self):
        self.by_helper()
    def by_base(self):
        self.set_base()
    def by_super(self):
        super().set_base()
    def by_hook(self):
        self.set_hook()
    def hook(self):
        self.hooked = 1
    def by_function(self):
        fill(self, 2)
    def by_function_of_function(self):
        pass_on(self)
    def by_class(self):
        Store.plain(self)
    def by_property(self):
        return self.lazy
    @property
    def lazy(self):
        self.made = 1
        return self.made
    def by_setter(self):
        self.checked = 1
    @property
    def checked(self):
        return self._checked
    @checked.setter
    def checked(self, value):
        self._checked = value
    def append(self):
        self.items.append(1)
    def item(self, k):
        self.memo[k] = 1
    def deep_item(self, k):
        self.memo[k][0].x = 1
    def deleted_item(self, k):
        del self.memo[k]
    def augmented_item(self, k):
        self.memo[k] += 1
    def update(self):
        self.index.update(a=1)
    def setdefault(self):
        self.groups.setdefault(1, []).append(2)
    def local_alias_of_attribute(self):
        rows = self.rows
        rows.append(1)
    def local_alias_item(self):
        rows = self.rows
        rows[0] = 1
    def part_of_attribute(self):
        self.inner.value = 1
    def loop(self):
        for self.i in range(3):
            pass
    def with_as(self, f):
        with f as self.handle:
            pass
    def nested(self):
        def inner():
            self.a = 1
        inner()
    def comprehension(self, xs):
        return [self.items.append(x) for x in xs]
    @traced
    def decorated(self):
        self.a = 1
    @functools.wraps(fill)
    def wrapped(self):
        self.a = 1
    def generator(self):
        yield 1
        self.a = 1
    async def coroutine(self):
        self.a = 1
    def odd_name(this):
        this.a = 1
    def on_class(self):
        type(self).total = 1
    # nothing is changed by these
    def reads(self):
        return self.a + self.b[0]
    def local(self, other):
        a = self.a
        a = a + 1
        other.x = 1
        return a
    def builds(self):
        out = {}
        for k in self.items:
            out[k] = self.memo[k]
        return sorted(self.items)
    def calls_pure(self):
        return self.reads() + self.builds()["a"]
    def hands_on(self):
        return only_reads(self)
    def copies(self):
        rows = list(self.rows)
        rows.append(1)
        return rows
"""

EXPECTED: dict[str, set[str]] = {
    **{
        name: {"a"}
        for name in (
            *("plain", "annotated", "deleted", "alias", "alias_of_alias", "walrus", "by_setattr"),
            *("by_delattr", "by_dict", "by_vars", "by_object", "by_super_setattr", "by_helper"),
            *("by_helper_of_helper", "by_class", "nested", "decorated", "wrapped", "generator"),
            *("coroutine", "odd_name"),
        )
    },
    "several": {"a", "b", "c"},
    "chained": {"a", "b"},
    "augmented": {"n"},
    "by_computed_setattr": {"*"},
    "by_dict_update": {"*"},
    "by_base": {"base"},
    "by_super": {"base"},
    "by_hook": {"hooked"},
    "by_function": {"filled"},
    "by_function_of_function": {"filled"},
    "by_property": {"made"},
    "by_setter": {"checked", "_checked"},
    "append": {"items"},
    "item": {"memo"},
    "deep_item": {"memo"},
    "deleted_item": {"memo"},
    "augmented_item": {"memo"},
    "update": {"index"},
    "setdefault": {"groups"},
    "local_alias_of_attribute": {"rows"},
    "local_alias_item": {"rows"},
    "part_of_attribute": {"inner"},
    "loop": {"i"},
    "with_as": {"handle"},
    "comprehension": {"items"},
    "on_class": {"total"},
    "reads": set(),
    "local": set(),
    "builds": set(),
    "calls_pure": set(),
    "hands_on": set(),
    "copies": set(),
}

_numbers = itertools.count()


def load(folder: Path, source: str) -> ModuleType:
    name = f"stores_{next(_numbers)}"
    (folder / f"{name}.py").write_text(source)
    sys.path.insert(0, str(folder))
    try:
        importlib.invalidate_caches()
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> type:
    return load(tmp_path_factory.mktemp("stores"), SOURCE).Store


@pytest.mark.parametrize("name", EXPECTED)
def test_what_a_method_changes_is_found(store: type, name: str) -> None:
    assert set(describe_method(store, name).stores) == EXPECTED[name]


CERTAIN_BY_BYTE_CODE = [
    *("plain", "several", "chained", "augmented", "annotated", "deleted", "by_helper", "append"),
    *("by_helper_of_helper", "by_base", "by_hook", "by_property", "item", "deleted_item"),
    *("augmented_item", "update", "loop", "with_as", "nested", "decorated", "generator"),
    *("coroutine", "odd_name", "by_setattr", "alias", "by_dict", "by_vars", "by_function"),
    *("by_super", "part_of_attribute", "comprehension", "local_alias_of_attribute"),
]


@pytest.fixture(scope="module")
def sourceless() -> type:
    namespace: dict[str, object] = {"__name__": "no_source_here"}
    exec(compile(SOURCE, "<nowhere>", "exec"), namespace)  # noqa: S102
    assert not linecache.getlines("<nowhere>")
    store = namespace["Store"]
    assert isinstance(store, type)
    return store


@pytest.mark.parametrize("name", CERTAIN_BY_BYTE_CODE)
def test_without_source_the_byte_code_shows_it(sourceless: type, name: str) -> None:
    stores = set(describe_method(sourceless, name).stores)
    assert stores >= EXPECTED[name] or "*" in stores


@pytest.mark.parametrize("name", ["reads", "local"])
def test_without_source_reading_is_no_change(sourceless: type, name: str) -> None:
    assert describe_method(sourceless, name).stores == ()
