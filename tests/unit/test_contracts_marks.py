"""The marks that say whether a class changes its objects."""

import pytest

from batchwright.contracts.marks import MARK, stateful, stateless


@pytest.mark.parametrize(("mark", "state"), [(stateful, "stateful"), (stateless, "stateless")])
def test_classes_and_methods_come_back_as_they_are_with_the_mark(mark, state):
    class Loader:
        __slots__ = ()

        def load(self): ...

    assert mark(Loader) is Loader
    assert getattr(Loader, MARK) == state
    assert mark(Loader.load) is Loader.load
    assert getattr(Loader.load, MARK) == state


def test_what_cannot_bear_a_mark_says_where_to_write_it():
    with pytest.raises(TypeError, match="under `stateful` in the settings"):
        stateful(dict)
