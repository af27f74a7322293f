"""Digests as they were: a digest that changes without a new format makes every cache a miss.

`tests/data/digest_vectors.json` holds expressions and what their values' digests are in the format
it names. When the encoding has to change, its format number goes up, and these with it.
"""

import array
import collections
import datetime as dt
import decimal
import fractions
import functools
import io
import ipaddress
import json
import operator
import pathlib
import random
import re
import types
import uuid
import zoneinfo
from hashlib import sha256

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from batchwright.caching.digest import KnownDigest, digest
from batchwright.caching.digest_encoding import FORMAT

DATA = pathlib.Path(__file__).resolve().parents[1] / "data" / "digest_vectors.json"
RECORDED = json.loads(DATA.read_text(encoding="utf-8"))
NAMES = {
    **{module.__name__: module for module in (array, collections, decimal, fractions, functools)},
    **{module.__name__: module for module in (io, ipaddress, operator, pathlib, random, re)},
    **{module.__name__: module for module in (types, uuid, zoneinfo)},
    "dt": dt,
    "np": np,
    "pd": pd,
    "pl": pl,
    "pa": pa,
    "KnownDigest": KnownDigest,
}


def test_the_vectors_are_of_this_format():
    assert FORMAT.decode() == RECORDED["format"] + "\n"


@pytest.mark.parametrize("expression", RECORDED["vectors"])
def test_a_value_has_the_digest_it_had(expression):
    value = eval(expression, dict(NAMES))  # noqa: S307  # from a file of this repository
    assert digest(value) == RECORDED["vectors"][expression]


# --- Written out by hand, from the table in digest_encoding ---------------------------------------


def written(encoding):
    return sha256(b"batchwright digest 1\n" + encoding).hexdigest()


def hashed(encoding):
    return b"#" + sha256(encoding).digest()


@pytest.mark.parametrize(
    ("value", "encoding"),
    [
        (None, b"N"),
        (True, b"T"),
        (-5, b"i-5;"),
        (2**63, b"I9:\x00\x80" + bytes(7)),
        (1.0, b"f\x3f\xf0" + bytes(6)),
        (float("nan"), b"f\x7f\xf8" + bytes(6)),
        ("é", b"s2:\xc3\xa9"),
        ("\ud800", b"s3:\xed\xa0\x80"),
        (b"ab", b"b2:ab"),
        ([1, [2]], b"[2:i1;[1:i2;"),
        ((), b"(0:"),
        ({"b": 1, "a": 2}, b"{2:s1:ai2;s1:bi1;"),
        ({2: 1, 10: 2, "a": 3}, b"{3:i10;i2;i2;i1;s1:ai3;"),
        ({10, 2}, b"<2:i10;i2;"),
        (frozenset("ba"), b">2:s1:as1:b"),
        (range(3), b"@range 3:i0;i3;i1;"),
        ("x" * 1020, hashed(b"s1020:" + b"x" * 1020)),
        (["x" * 1018], hashed(b"[1:s1018:" + b"x" * 1018)),
        (["x" * 1025, 1], b"[2:" + hashed(b"s1025:" + b"x" * 1025) + b"i1;"),
        ([0] * 5000, hashed(b"[5000:" + b"i0;" * 5000)),
    ],
    ids=lambda value: None,
)
def test_the_canonical_form_is_as_its_table_says(value, encoding):
    assert digest(value) == written(encoding)
