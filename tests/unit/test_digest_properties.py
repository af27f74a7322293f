"""Properties of content digests, on values drawn by hypothesis."""

import math
import pickle
import struct

from hypothesis import given
from hypothesis import strategies as st

from batchwright.caching.digest import digest

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(st.characters()),  # lone surrogates included
    st.binary(),
    st.decimals(allow_nan=False),  # a signalling NaN cannot be hashed
    st.fractions(),
    st.dates(),
    st.datetimes(),
    st.timedeltas(),
    st.uuids(),
)
keys = st.recursive(
    scalars, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=4
)
values = st.recursive(
    keys,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner)
        | st.sets(keys, max_size=4)
        | st.dictionaries(keys, inner, max_size=4)
    ),
    max_leaves=20,
)


def identity(value):
    """A text that tells a value exactly, type by type, and knows nothing of digests."""
    kind = type(value).__name__
    if isinstance(value, float):
        return f"float {'nan' if math.isnan(value) else struct.pack('>d', value).hex()}"
    if isinstance(value, complex):
        return f"complex {identity(value.real)} {identity(value.imag)}"
    if isinstance(value, (list, tuple)):
        return f"{kind} {[identity(item) for item in value]}"
    if isinstance(value, (set, frozenset)):
        return f"{kind} {sorted(identity(item) for item in value)}"
    if isinstance(value, dict):
        return f"dict {sorted((identity(k), identity(v)) for k, v in value.items())}"
    return f"{kind} {value!r}"


def rebuilt(value):
    """The same value with nothing shared, and every dict and set filled the other way round."""
    if isinstance(value, (list, tuple)):
        return type(value)([rebuilt(item) for item in value])
    if isinstance(value, (set, frozenset)):
        return type(value)([rebuilt(item) for item in reversed(list(value))])
    if isinstance(value, dict):
        return {rebuilt(k): rebuilt(v) for k, v in reversed(value.items())}
    return pickle.loads(pickle.dumps(value))


@given(values, values)
def test_values_share_a_digest_exactly_when_they_are_the_same(a, b):
    assert (digest(a) == digest(b)) == (identity(a) == identity(b))


@given(values)
def test_how_a_value_was_built_does_not_count(value):
    assert digest(rebuilt(value)) == digest(value)


@given(values)
def test_a_round_trip_through_pickle_keeps_the_digest(value):
    assert digest(pickle.loads(pickle.dumps(value))) == digest(value)


@given(values)
def test_a_value_differs_from_what_holds_it(value):
    holders = [value, [value], (value,), {"k": value}, [[value]], [value, value]]
    assert len({digest(holder) for holder in holders}) == len(holders)


@given(st.lists(st.text(max_size=3), max_size=6), st.lists(st.text(max_size=3), max_size=6))
def test_where_one_string_ends_and_the_next_begins_counts(a, b):
    assert (digest(a) == digest(b)) == (a == b)
    assert (digest(tuple(a)) == digest(tuple(b))) == (a == b)


@given(st.integers(), st.integers())
def test_integers_of_any_size_stay_apart(a, b):
    assert (digest(a) == digest(b)) == (a == b)
    assert (digest(a << 200) == digest(b << 200)) == (a == b)


@given(st.integers(1, 9000), st.floats(0, 1, exclude_max=True))
def test_long_lists_count_by_every_item(size, where):
    items = list(range(size))
    changed = list(items)
    changed[int(where * size)] += 1
    assert digest(items) == digest(list(items)) != digest(changed)
    assert digest([[item] for item in items]) != digest([[item] for item in changed])
