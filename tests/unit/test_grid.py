"""All combinations of parameters, and the ids they go by."""

from __future__ import annotations

import enum
import itertools
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchwright import grid, step
from batchwright.errors import InvalidGrid


class Kernel(enum.Enum):
    RBF = "rbf"


def test_ids_show_axes_and_values_and_the_last_axis_changes_fastest():
    points = grid(C=[0.1, 1], seed=range(2))
    assert points == {
        "C=0.1-seed=0": {"C": 0.1, "seed": 0},
        "C=0.1-seed=1": {"C": 0.1, "seed": 1},
        "C=1-seed=0": {"C": 1, "seed": 0},
        "C=1-seed=1": {"C": 1, "seed": 1},
    }
    assert list(points)[1] == "C=0.1-seed=1"


@pytest.mark.parametrize(
    ("value", "label"),
    [
        (True, "True"),
        (None, "None"),
        (1.0, "1.0"),
        (1e-06, "1e-06"),
        ("es", "es"),
        (Kernel.RBF, "RBF"),
        (Path("data/a.csv"), "a.csv"),
        (len, "len"),
        (dict, "dict"),
        (np.float64(0.5), "0.5"),
        (np.int64(3), "3"),
        ("x" * 25, "0"),
        ("a/b", "0"),
        ("two\nlines", "0"),
        ("", "0"),
        ([1, 2], "0"),
        (lambda x: x, "0"),
        (date(2026, 1, 2), "0"),
        (step(len)("abc"), "0"),
    ],
)
def test_a_value_shows_shortly_or_by_its_place(value, label):
    ((id_, parameters),) = grid(p=[value]).items()
    assert id_ == f"p={label}"
    assert parameters["p"] is value


def test_a_mapping_names_its_values():
    assert grid(model={"small": [1], "large": [2]}) == {
        "model=small": {"model": [1]},
        "model=large": {"model": [2]},
    }


def test_values_that_look_alike_get_ids_of_their_own():
    assert list(grid(p=[1, "1", 1])) == ["p=1", "p=1#2", "p=1#3"]


def test_without_axes_there_is_one_combination():
    assert grid() == {"all": {}}


def test_an_iterator_is_an_axis():
    assert len(grid(a=iter([1, 2]), b=iter([3, 4]))) == 4


@pytest.mark.parametrize(
    ("axis", "says"),
    [
        ([], "is empty"),
        (range(0), "is empty"),
        ({}, "is empty"),
        ("abc", r"p=\['abc'\]"),
        (5, r"p=\[5\]"),
        (None, "is one value"),
        ({1, 2}, "sorted"),
        (step(len)("abc"), "is one value"),
    ],
)
def test_an_axis_that_is_none_is_refused_by_name(axis, says):
    with pytest.raises(InvalidGrid, match=says) as caught:
        grid(q=[1], p=axis)
    assert "'p'" in str(caught.value)
    assert isinstance(caught.value, ValueError)


labels = st.one_of(st.text("a-=1#b", max_size=4), st.integers(0, 2), st.booleans(), st.none())


@given(
    st.dictionaries(
        st.sampled_from(["a", "b", "a1"]), st.lists(labels, min_size=1, max_size=4), min_size=1
    )
)
def test_every_combination_has_an_id_in_product_order(axes):
    points = grid(**axes)
    expected = [
        dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())
    ]
    assert list(points.values()) == expected
