"""The registry: what names in contracts stand for, by the modules that are imported."""

import subprocess
import sys
from pathlib import Path

import pytest

from batchwright.contracts.registry import import_registry
from batchwright.contracts.settings import Settings
from batchwright.errors import AmbiguousClass, MethodsImportError, UnknownClass, UnknownMethod


@pytest.fixture
def registry(fleet):
    def registry_of(*modules, **files):
        for name, text in files.items():
            fleet.write("/".join(reversed(name.split("_of_"))) + ".py", text)
        return import_registry(Settings(folder=fleet.path, methods=modules))

    return registry_of


def test_what_a_module_defines_counts_and_what_it_imports_does_not(registry):
    names = registry(
        "own_a",
        own_a="from own_b import Other, helper\nclass Own: pass\ndef f(): pass\n",
        own_b="class Other: pass\ndef helper(): pass\n",
    )
    assert names.constructor("Own").target.module == "own_a"
    assert names.method("", "f").target.qualname == "f"
    with pytest.raises(UnknownClass):
        names.constructor("Other")
    with pytest.raises(UnknownMethod):
        names.method("", "helper")


def test_what_all_lists_counts_wherever_it_comes_from(registry):
    names = registry(
        "all_a",
        all_a="from all_b import Other\n__all__ = ['Other']\n",
        all_b="class Other: pass\n",
    )
    assert names.constructor("Other").target.module == "all_b"


def test_a_package_gives_what_it_imports_from_its_own_modules(registry):
    names = registry(
        "pack",
        __init___of_pack="from .inner import Inner\nfrom pathlib import Path\n",
        inner_of_pack="class Inner: pass\nclass Hidden: pass\n",
    )
    assert names.constructor("Inner").target.module == "pack.inner"
    for name in ("Path", "Hidden"):
        with pytest.raises(UnknownClass):
            names.constructor(name)


def test_one_class_by_two_ways_is_one_class(registry):
    names = registry(
        "two_a", "two_b",
        two_a="class Own: pass\n", two_b="from two_a import Own\n__all__ = ['Own']\n",
    )  # fmt: skip
    assert names.constructor("Own").target.module == "two_a"


def test_two_classes_of_one_name_are_an_error_only_where_the_name_is_used(registry):
    names = registry(
        "amb_a", "amb_b",
        amb_a="class Own: pass\nclass Fine: pass\n", amb_b="class Own: pass\n",
    )  # fmt: skip
    assert names.constructor("Fine")
    with pytest.raises(AmbiguousClass, match=r"amb_a\.Own and amb_b\.Own"):
        names.constructor("Own")


def test_an_alias_is_a_name_and_a_class_is_where_it_can_be_had(registry):
    names = registry(
        "made",
        made="def make():\n    class Local: pass\n    return Local\nMade = make()\n"
        "class Real: pass\nAlias = Real\n",
    )
    made = names.constructor("Made").target
    assert (made.module, made.qualname) == ("made", "Made")
    assert type(made)(made.module, made.qualname).load() is made.loaded
    assert names.constructor("Alias").target.qualname == "Real"


def test_inherited_private_class_and_static_methods(registry):
    names = registry(
        "meth",
        meth="""
class Base:
    def inherited(self, a): pass
    @classmethod
    def of_class(cls, a): return cls.__name__
class Own(Base):
    def _private(self, a): pass
    @staticmethod
    def static(a): pass
""",
    )
    for name in ("inherited", "_private"):
        entry = names.method("Own", name)
        assert (entry.method, entry.target.qualname) == (name, "Own")
        assert [p.name for p in entry.signature.parameters] == ["a"]
    for name in ("of_class", "static"):
        entry = names.method("Own", name)
        assert (entry.method, entry.target.qualname) == ("", f"Own.{name}")
        assert [p.name for p in entry.signature.parameters] == ["a"]
    assert names.method("Own", "of_class").target.load()(1) == "Own"


def test_a_callable_attribute_does_not_take_the_object(registry):
    names = registry(
        "callables",
        callables="class Call:\n    def __call__(self, a, b): pass\nclass Own:\n    go = Call()\n",
    )
    assert [p.name for p in names.method("Own", "go").signature.parameters] == ["a", "b"]


def test_the_fleet_folder_goes_before_other_modules_of_the_name(registry):
    names = registry("colorsys_like", colorsys_like="class Here: pass\n")
    assert names.constructor("Here").target.loaded.__name__ == "Here"


@pytest.mark.parametrize("name", ["a b", "../x", "", "x..y", "1x"])
def test_what_is_no_module_name(registry, name):
    with pytest.raises(MethodsImportError, match="not the name of a module"):
        registry(name)


def test_an_error_deep_in_an_imported_module_names_that_place(registry, fleet):
    with pytest.raises(MethodsImportError) as caught:
        registry("deep_a", deep_a="import deep_b\n", deep_b="def f():\n    {}['k']\n\n\nf()\n")
    assert "KeyError: 'k'" in caught.value.message
    assert f"{fleet.path / 'deep_b.py'}:2" in caught.value.message


def test_a_module_of_another_fleet_is_not_taken_for_this_one(registry, fleet, tmp_path):
    registry("space.methods", methods_of_space="class Own: pass\n")  # no __init__: a namespace
    other = type(fleet)(tmp_path / "other")
    other.write("space/methods.py", "class Own: pass\n")
    with pytest.raises(MethodsImportError, match=r"'space\.methods' from .* already imported"):
        import_registry(Settings(folder=other.path, methods=("space.methods",)))


def test_modules_of_two_fleets_are_fine_in_two_processes(fleet, tmp_path):
    other = type(fleet)(tmp_path / "other")
    for folder in (fleet, other):
        folder.contract()
        script = (
            "from batchwright.contracts.build import load_fleet\nprint(len(load_fleet('.').steps))"
        )
        done = subprocess.run(  # our own interpreter and script
            [sys.executable, "-c", script],
            cwd=folder.path, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout == "4\n"
    assert Path(other.path / "fleet_methods.py").exists()
