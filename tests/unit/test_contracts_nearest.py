"""Nearest names in messages."""

from batchwright.contracts.nearest import hint, listing, nearest


def test_the_most_similar_name_is_found_whatever_its_case():
    assert nearest("docment", ["text", "document"]) == "document"
    assert nearest("DOCUMENT", ["document", "text"]) == "document"
    assert nearest("zzz", ["document"]) is None
    assert nearest("x", []) is None


def test_a_hint_is_empty_where_nothing_is_near():
    assert hint("docment", ["document"]) == "; did you mean 'document'?"
    assert hint("zzz", ["document"]) == ""


def test_long_listings_are_cut():
    assert listing([]) == "none"
    assert listing(["a", "b"]) == "a, b"
    assert listing("abcd", limit=2) == "a, b and 2 more"
