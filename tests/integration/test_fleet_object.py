"""A fleet named as `module:attribute`, from real modules in a folder."""

from __future__ import annotations

import itertools
import sys

import pytest

from batchwright.contracts.fleet_object import load_object
from batchwright.errors import FleetObjectNotFound, InvalidFleet

_number = itertools.count()

FLEET = """
from batchwright import Contract, step

@step
def f(x, y=0):
    return x

mapping = {"a": f(1), "b": f(2)}
listed = [f(1), f(2)]
contract = Contract("c", f(1))
single = f(1)
limit = 3

class Sweep:
    fleet = {"d": f(1)}

def fleet():
    return mapping

def partial_fleet(size):
    return mapping

def failing():
    return [][0]

def leaving():
    raise SystemExit(3)
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Writes a module into the current folder and gives its name, new for each test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    before = set(sys.modules)

    def write(source, package=False):
        name = f"fleet_module_{next(_number)}"
        if package:
            (tmp_path / name).mkdir()
            (tmp_path / name / "__init__.py").touch()
            (tmp_path / name / "sweeps.py").write_text(source)
            return f"{name}.sweeps"
        (tmp_path / f"{name}.py").write_text(source)
        return name

    yield write
    for name in set(sys.modules) - before:
        if name.startswith("fleet_module_"):
            del sys.modules[name]


@pytest.mark.parametrize(
    ("attribute", "ids"),
    [
        ("mapping", ["a", "b"]),
        ("listed", ["f-1", "f-2"]),
        ("contract", ["c"]),
        ("single", ["f"]),
        ("fleet", ["a", "b"]),
        ("Sweep.fleet", ["d"]),
    ],
)
def test_an_attribute_is_whatever_run_takes(module, attribute, ids):
    graph = load_object(f"{module(FLEET)}:{attribute}")
    assert [node.id for node in graph.contracts] == ids


def test_a_module_may_stand_in_a_package(module):
    graph = load_object(f"{module(FLEET, package=True)}:fleet")
    assert len(graph.steps) == 2


def test_functions_are_told_by_their_module(module):
    name = module(FLEET)
    (made,) = load_object(f"{name}:single").steps
    assert (made.function.module, made.function.qualname) == (name, "f")


def refusal(name):
    with pytest.raises(FleetObjectNotFound) as caught:
        load_object(name)
    return str(caught.value)


@pytest.mark.parametrize("name", ["sweep", ":fleet", "sweep:", ""])
def test_a_name_of_another_form_is_refused(name):
    assert "module:attribute" in refusal(name)


def test_a_file_name_is_turned_into_a_module_name():
    assert "nightly.sweep:fleet" in refusal("nightly/sweep.py:fleet")


def test_a_missing_module_names_the_nearest(module):
    name = module(FLEET)
    said = refusal(f"{name}x:fleet")
    assert f"no module '{name}x'" in said
    assert f"did you mean '{name}'" in said


def test_a_missing_module_of_a_package_names_the_nearest(module):
    name = module(FLEET, package=True)
    assert "did you mean 'sweeps'" in refusal(f"{name[:-1]}:fleet")


def test_a_missing_attribute_names_the_nearest(module):
    name = module(FLEET)
    said = refusal(f"{name}:fleeet")
    assert f"module '{name}' has no attribute 'fleeet'; did you mean 'fleet'" in said


def test_an_import_that_is_missing_inside_is_not_taken_for_the_module(module):
    name = module("import no_such_module_anywhere\n")
    said = refusal(f"{name}:fleet")
    assert "no_such_module_anywhere" in said
    assert f"{name}.py, line 1" in said


def test_a_broken_module_is_told_with_file_and_line(module):
    name = module("x = 1\ny = = 2\n")
    said = refusal(f"{name}:fleet")
    assert "SyntaxError" in said
    assert f"{name}.py, line 2" in said


def test_a_module_that_ends_the_program_is_told(module):
    assert "SystemExit" in refusal(f"{module('raise SystemExit(1)')}:fleet")


@pytest.mark.parametrize(
    ("attribute", "says"),
    [
        ("failing", "calling failing() failed with IndexError"),
        ("leaving", "SystemExit"),
        ("partial_fleet", "missing a required argument: 'size'"),
    ],
)
def test_a_function_that_gives_no_fleet_is_told(module, attribute, says):
    assert says in refusal(f"{module(FLEET)}:{attribute}")


@pytest.mark.parametrize(("attribute", "says"), [("limit", "not a int"), ("f", "not been called")])
def test_an_attribute_that_is_no_fleet_is_refused(module, attribute, says):
    with pytest.raises(InvalidFleet, match=says):
        load_object(f"{module(FLEET)}:{attribute}")


def test_batchwrights_own_errors_come_through_as_they_are(module):
    name = module("from batchwright import grid\npoints = grid(C=[])\n")
    with pytest.raises(ValueError, match="axis 'C' is empty"):
        load_object(f"{name}:points")
