"""A text as words and sentences."""

from __future__ import annotations

import re

from library.stems import singular

# `ArgumentParser` gives two words, `parse_args` two as well.
WORD = re.compile(r"[A-Za-z][a-z]+(?:'[a-z]+)?")
SENTENCE_END = re.compile(r"[.!?](?=\s+[A-Z])|\n[ \t]*\n")
HEADING = re.compile(r"^##? .*$", re.MULTILINE)
STOPWORDS = frozenset(
    """
    about after all also always and another any are because been before being between both but
    can cannot could did does doesn done each either even every for from had has have her here his
    how however into isn its itself just like made make many may might more most must neither
    new not now off one only onto other our out over own same see shall she should since some
    such than that the their them then there these they this those through thus too under until
    upon use used using very via was were what when where whether which while who whose why will
    with within without would yet you your
    """.split()  # noqa: SIM905  # a hundred words read better as prose
)


def normalise(word: str) -> str:
    """One form for a word however it is written: lower case, no possessive, singular."""
    lowered = word.lower()
    stem, _, ending = lowered.partition("'")
    return singular(stem if ending in {"s", ""} else stem + ending)


def words_of(text: str, min_length: int = 3) -> list[str]:
    """The normalised words of a text in order; headings, stop words, short ones are left out."""
    found = WORD.findall(HEADING.sub("", text))
    normal = {word: normalise(word) for word in dict.fromkeys(found)}
    kept = {
        word: form
        for word, form in normal.items()
        if len(form) >= min_length and form not in STOPWORDS and word.lower() not in STOPWORDS
    }
    return [kept[word] for word in found if word in kept]


def occurrences(text: str, phrase: str) -> int:
    """How often a phrase stands in a text as whole words, in this very case."""
    found = 0
    place = text.find(phrase)
    while place >= 0:
        end = place + len(phrase)
        inside = text[place - 1 : place].isalnum() or text[end : end + 1].isalnum()
        found += not inside
        place = text.find(phrase, end)
    return found


def sentences_of(text: str) -> list[str]:
    """The sentences of a text, headings left out, white space made single."""
    prose = HEADING.sub("", text)
    pieces = (" ".join(piece.split()) for piece in SENTENCE_END.split(prose))
    return [piece for piece in pieces if len(piece.split()) > 2]
