"""The thirty questions, each with the plan that answers it."""

from __future__ import annotations

from typing import NamedTuple


class Question(NamedTuple):
    """A question, the words that tell whether the text speaks of it, and the plan's name."""

    plan: str
    text: str
    keywords: tuple[str, ...]


QUESTIONS = (
    # TYPE_A
    Question(
        "outline",
        "How is the documentation of the area laid out, and what does it begin with?",
        ("module", "class", "function", "package"),
    ),
    Question(
        "style",
        "Is the documentation of the area written to be read?",
        ("note", "example", "see", "describe"),
    ),
    # TYPE_B
    Question(
        "vocabulary",
        "Which words carry the area?",
        ("name", "word", "term", "meaning"),
    ),
    Question(
        "vocabulary",
        "How much vocabulary must a newcomer to the area learn?",
        ("define", "definition", "known as", "called"),
    ),
    Question(
        "phrases",
        "Which expressions are fixed?",
        ("return value", "keyword argument", "file object", "context manager"),
    ),
    Question(
        "phrases",
        "Which properties are always named together?",
        ("key", "value", "start", "stop"),
    ),
    Question(
        "terms",
        "Which terms tell the pages of the library apart?",
        ("index", "search", "match", "pattern"),
    ),
    Question(
        "terms",
        "Where are the terms of concurrency explained?",
        ("thread", "lock", "coroutine", "event loop"),
    ),
    Question(
        "profile",
        "What is the area about that the rest of the library is not?",
        ("specific", "special", "general", "only"),
    ),
    Question(
        "profile",
        "Which errors are particular to the area?",
        ("raise", "error", "exception", "warning"),
    ),
    Question(
        "similar_pages",
        "Which modules could be read in place of one another?",
        ("replace", "alternative", "instead", "equivalent"),
    ),
    Question(
        "similar_pages",
        "Which modules wrap others?",
        ("wrapper", "interface", "based on", "subclass"),
    ),
    Question(
        "keywords",
        "How are encodings dealt with?",
        ("encoding", "unicode", "bytes", "decode", "surrogate"),
    ),
    Question(
        "keywords",
        "How is time dealt with?",
        ("time", "timeout", "timezone", "timestamp"),
    ),
    # TYPE_C
    Question(
        "network_of_words",
        "Which words join subjects that are otherwise apart?",
        ("between", "both", "common", "shared"),
    ),
    Question(
        "references",
        "Which modules does everything else refer to?",
        ("import", "module", "see also", "standard library"),
    ),
    Question(
        "references",
        "Which standards does the library follow?",
        ("rfc", "pep", "posix", "standard"),
    ),
    Question(
        "topics",
        "Into which subjects does the library fall?",
        ("kind", "type", "category", "group"),
    ),
    # TYPE_D
    Question(
        "tables",
        "What does the area lay down in tables?",
        ("table", "following", "column", "row"),
    ),
    Question(
        "tables",
        "Which options and codes must be looked up?",
        ("option", "flag", "mode", "code"),
    ),
    Question(
        "tables",
        "Which conversions are defined?",
        ("convert", "conversion", "format", "mapping"),
    ),
    Question(
        "signatures",
        "How are functions called?",
        ("argument", "parameter", "default", "optional"),
    ),
    Question(
        "signatures",
        "What happens when an argument is left out?",
        ("omitted", "not given", "none", "default"),
    ),
    Question(
        "names",
        "Are names chosen by one rule?",
        ("name", "attribute", "prefix", "underscore"),
    ),
    Question(
        "spelling",
        "How carefully is the documentation edited?",
        ("deprecated", "obsolete", "todo", "xxx"),
    ),
    Question(
        "duplicates",
        "What is documented more than once?",
        ("same", "identical", "copy", "alias"),
    ),
    # TYPE_E
    Question(
        "classifier",
        "Can the area of an entry be told by its words?",
        ("object", "string", "file", "server"),
    ),
    Question(
        "classifier",
        "Which entries stand in the wrong place?",
        ("internal", "private", "implementation detail", "helper"),
    ),
    Question(
        "uncertainty",
        "How sure are the figures on the length of the documentation?",
        ("number", "length", "size", "average"),
    ),
    Question(
        "passages",
        "Which passages are handed on from page to page?",
        ("inherited", "override", "subclasses", "base class"),
    ),
)
