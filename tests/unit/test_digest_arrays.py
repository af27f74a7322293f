"""Content digests of numpy's and scipy's values."""

import pickle

import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from batchwright.caching.digest import digest
from batchwright.errors import UncacheableArgument

RECORD = np.dtype([("a", "i1"), ("b", "f8")])
ALIGNED = np.dtype([("a", "i1"), ("b", "f8")], align=True)


def masked(data, mask, **more):
    return np.ma.MaskedArray(data, mask=mask, **more)


DISTINCT = [
    *(np.array([1]), np.array([[1]]), np.array(1), np.array([1, 2]), np.array([2, 1])),
    *(np.zeros((2, 3)), np.zeros((3, 2)), np.zeros(6), np.zeros((0, 3)), np.zeros((3, 0))),
    *(np.array([1], d) for d in ("i1", "i2", "i4", "u8", "f2", "f4", "f8", "c8", "c16", "?")),
    *(np.array([0.0]), np.array([-0.0]), np.array([np.nan]), np.array([np.inf])),
    *(
        np.array([0.0], "g"),
        np.array([-0.0], "g"),
        np.array([np.nan], "g"),
        np.array([np.inf], "g"),
    ),
    np.array([1], "g") / 3,
    np.array([1 / 3], "g"),
    np.array([1j], "G"),
    *(np.array(["a"]), np.array(["a"], "U2"), np.array([b"a"]), np.array([b"a"], "S2")),
    *(
        np.array([""], "U1"),
        np.array(["a"], object),
        np.array([b"a"], object),
        np.array([b"a"], "V1"),
    ),
    *(np.array([1], object), np.array([1.0], object), np.array([True], object), np.array([None])),
    np.array([{"a": [1]}], object),
    *(np.array(["2024-01-01"], f"M8[{unit}]") for unit in ("D", "s", "ns")),
    *(np.array(["NaT"], "M8[D]"), np.array([1], "m8[D]"), np.array([1], "m8[s]")),
    *(np.array([(1, 2.0)], RECORD), np.array([(1, 2.0)], ALIGNED), np.array([(2, 2.0)], RECORD)),
    np.array([(1, 2.0)], [("a", "i1"), ("c", "f8")]),
    np.array([(1, (2, 3))], [("a", "i1"), ("b", "i4", (2,))]),
    np.array([(1, "x")], [("a", "i1"), ("b", object)]),
    np.rec.array([(1, 2.0)], RECORD),
    np.matrix([[1]]),
    *(masked([1, 2], [0, 1]), masked([1, 3], [0, 1]), masked([1, 2], [0, 0])),
    *(masked([1, 2], [0, 1], fill_value=7), masked([1, 2], [0, 1], hard_mask=True)),
    *(np.int64(1), np.int32(1), np.float64(1), np.float32(1), np.bool_(1), np.str_("1")),
    *(np.bytes_(b"1"), np.complex128(1), np.float64(0), np.float64(-0.0), np.longdouble(1)),
    *(np.datetime64("2024-01-01"), np.datetime64("2024-01-01", "s"), np.timedelta64(1, "D")),
    np.array([(1, 2.0)], RECORD)[0],
    *(np.dtype("i4"), np.dtype("i8"), np.dtype("U3"), RECORD, ALIGNED, np.dtype(("i4", (2,)))),
    *(np.float64, np.int64, np.ndarray, np.sin, np.cos, np.dot),
    *(np.random.default_rng(1), np.random.default_rng(2), np.random.RandomState(1)),
    *(np.random.PCG64(1), np.random.MT19937(1), np.random.SeedSequence(1)),
    *(1, 1.0, "1", True, [1], b"\1\0\0\0\0\0\0\0"),
]

if hasattr(np.dtypes, "StringDType"):
    strings = np.dtypes.StringDType
    DISTINCT += [
        np.array(["a", "b"], strings()),
        np.array(["a", None], strings(na_object=None)),
        np.array(["a", np.nan], strings(na_object=np.nan)),
    ]

FORMS = ("csr", "csc", "coo", "dia", "lil", "dok", "bsr")
DENSE = np.array([[0, 1.5], [2, 0]])
SPARSE = [
    getattr(scipy.sparse, f"{f}_{kind}")(DENSE) for f in FORMS for kind in ("array", "matrix")
]
DISTINCT += [*SPARSE, scipy.sparse.csr_array(DENSE * 2), scipy.sparse.csr_array(DENSE.astype("f4"))]


def test_no_two_of_many_values_share_a_digest():
    seen = {}
    for value in DISTINCT:
        key = digest(value)
        assert key not in seen, (value, seen[key])
        seen[key] = value


def test_a_round_trip_through_pickle_keeps_the_digest():
    for value in DISTINCT:
        if getattr(value, "hardmask", False):  # numpy's own pickling loses it
            continue
        assert digest(pickle.loads(pickle.dumps(value))) == digest(value), repr(value)


@pytest.mark.parametrize("dtype", ["i4", "f8", "c16", "U3", "M8[s]", "O", "?", RECORD, "g", "f2"])
def test_memory_order_and_strides_do_not_count(dtype):
    numbers = np.arange(24).reshape(2, 3, 4)
    if dtype == RECORD:
        array = np.zeros((2, 3, 4), RECORD)
        array["a"], array["b"] = numbers, numbers
    else:
        array = numbers.astype(dtype)
    key = digest(array)
    wide = np.repeat(array, 2, axis=2)
    assert digest(np.asfortranarray(array)) == key
    assert digest(wide[:, :, ::2]) == key
    assert digest(array[::-1, ::-1].copy()[::-1, ::-1]) == key
    assert digest(array.transpose(2, 0, 1).copy().transpose(1, 2, 0)) == key
    readonly = array.copy()
    readonly.flags.writeable = False
    assert digest(readonly) == key
    assert digest(array.transpose(0, 2, 1)) != key


@pytest.mark.parametrize("dtype", ["i2", "i8", "f4", "f8", "c16", "U3", "M8[s]", "f2"])
def test_byte_order_does_not_count(dtype):
    array = np.arange(5).astype(dtype)
    other = array.astype(array.dtype.newbyteorder("S"))
    assert other.dtype != array.dtype
    assert digest(other) == digest(array)
    assert digest(other.dtype) == digest(array.dtype)


def test_byte_order_inside_structures_does_not_count():
    array = np.array([(1, 2.0)], RECORD)
    assert digest(array.astype(RECORD.newbyteorder("S"))) == digest(array)


def test_broadcast_and_mapped_arrays_count_by_contents(tmp_path):
    assert digest(np.broadcast_to(np.arange(3), (2, 3))) == digest(np.array([[0, 1, 2]] * 2))
    np.save(tmp_path / "a.npy", np.arange(10))
    mapped = np.load(tmp_path / "a.npy", mmap_mode="r")
    assert isinstance(mapped, np.memmap)
    assert digest(mapped) == digest(np.arange(10))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "g", "c8", "c16", "G"])
def test_every_nan_is_one_nan(dtype):
    array = np.array([1, np.nan, 3], dtype)
    odd = array.copy()
    raw = odd.view("u1").reshape(3, -1)
    size = {"g": 10, "G": 10}.get(dtype, array.real.itemsize)
    raw[1, size - 1] |= 0x80  # the sign of the NaN
    raw[1, 0] |= 1  # and its payload
    assert np.isnan(odd[1])
    assert digest(odd) == digest(array)
    assert digest(odd[1]) == digest(array[1])


def test_padding_does_not_count():
    clean, dirty = np.zeros(2, ALIGNED), np.zeros(2, ALIGNED)
    dirty.view("u1").reshape(2, -1)[:, 1:8] = 255
    assert np.array_equal(clean, dirty)
    assert digest(clean) == digest(dirty)
    long = np.ones(2, "g")
    if long.itemsize == 16:
        marked = long.copy()
        marked.view("u1").reshape(2, -1)[:, 10:] = 255
        assert digest(marked) == digest(long)


def test_objects_in_arrays_count_by_contents():
    assert digest(np.array([[1], {"a": 2}, None], object)) == digest(
        np.array([[1], {"a": 2}, None], object)
    )
    with pytest.raises(UncacheableArgument, match="object has no stable content"):
        digest(np.array([1, object()], object))


class Signal(np.ndarray):
    def __array_finalize__(self, source):
        self.rate = getattr(source, "rate", None)


def test_a_subclass_counts_with_its_attributes():
    one, two = np.arange(3).view(Signal), np.arange(3).view(Signal)
    one.rate, two.rate = 1, 2
    assert digest(one) != digest(two)
    two.rate = 1
    assert digest(one) == digest(two) != digest(np.arange(3))
    one.rate = object()
    with pytest.raises(UncacheableArgument, match=r"value\.rate: "):
        digest(one)


def test_a_generator_counts_by_its_state():
    first, second = np.random.default_rng(1), np.random.default_rng(1)
    assert digest(first) == digest(second)
    first.random()
    assert digest(first) != digest(second)
    second.random()
    assert digest(first) == digest(second)
    first.spawn(1)
    assert digest(first) != digest(second)


def test_how_a_sparse_array_keeps_its_entries_does_not_count():
    array = scipy.sparse.csr_array(np.array([[1, 2, 0], [0, 0, 3]]))
    shuffled = array.copy()
    shuffled.indices[:2] = shuffled.indices[1::-1]
    shuffled.data[:2] = shuffled.data[1::-1]
    shuffled.has_sorted_indices = False
    assert (array != shuffled).nnz == 0
    assert digest(array) == digest(shuffled)
    twice = scipy.sparse.coo_array(([1, 1], ([0, 0], [0, 0])), shape=(1, 1))
    assert digest(twice) == digest(scipy.sparse.coo_array(([2], ([0], [0])), shape=(1, 1)))


def test_what_has_no_stable_content_is_refused():
    with pytest.raises(UncacheableArgument, match="nditer"):
        digest(np.nditer([1, 2]))
    with pytest.raises(UncacheableArgument, match="universal function"):
        digest(np.frompyfunc(lambda x: x, 1, 1))


arrays = hnp.arrays(
    st.one_of(
        hnp.integer_dtypes(endianness="?"),
        hnp.floating_dtypes(endianness="?"),
        hnp.boolean_dtypes(),
        hnp.unicode_string_dtypes(max_len=3),
        hnp.datetime64_dtypes(max_period="s", min_period="ns"),
    ),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)


def same(a, b):
    if a.dtype.newbyteorder("<") != b.dtype.newbyteorder("<") or a.shape != b.shape:
        return False
    nan = a.dtype.kind in "fcmM"
    signs = a.dtype.kind != "f" or np.array_equal(np.signbit(a[a == a]), np.signbit(b[b == b]))
    return np.array_equal(a, b, equal_nan=nan) and signs


@given(arrays, arrays)
def test_arrays_share_a_digest_exactly_when_they_are_the_same(a, b):
    assert (digest(a) == digest(b)) == same(a, b)
    assert digest(np.array(a, order="F")) == digest(a)
    assert digest(np.stack([a, a], axis=-1)[..., 0]) == digest(a)
