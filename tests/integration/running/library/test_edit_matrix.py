"""Each edit of the example fleet recomputes exactly what it must, and the reason names the edit.

`reached` are the methods whose code, constructor or arguments the edit reaches, by reading the
sources. What is given their results follows, where these differ; `spared` are the methods that
could follow, but are given what they were given before. All else is known. That is checked call
by call (`Library.check`), and the results against the oracle.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping


def names(text: str) -> frozenset[str]:
    return frozenset(text.split())


@dataclass(frozen=True)
class Edit:
    """Changes by file, each an old text and the new one; whom they reach; what the reason says."""

    changes: dict[str, list[tuple[str, str]]]
    cause: str | Mapping[str, str]
    reached: frozenset[str]
    spared: frozenset[str] = frozenset()


READ_TEXT_WHEN_MADE = names("""
    CooccurrenceGraph.bridges CooccurrenceGraph.communities CooccurrenceGraph.edges
    CooccurrenceGraph.pagerank PageVectors.likeness PageVectors.nearest SuffixIndex.phrases
    SuffixIndex.repeats TermIndex.area_terms TermIndex.clumped TermIndex.weights
    TopicModel.latent TopicModel.nonnegative
""")
READ_TEXT = names("""
    AreaAudit.presence AreaProfile.terms AreaSeparation.divergence BayesInference.classify
    Bootstrap.documentation_length Bootstrap.sentence_length Burstiness.bursts
    Collocations.by_information Collocations.by_likelihood CrossReferences.hubs
    CrossValidation.accuracy CrossValidation.learning_curve EvidenceAudit.coverage
    KeywordContext.lines Mentions.abbreviations Mentions.exceptions Mentions.standards
    NGrams.surprise NGrams.top NaiveBayes.fit NameClusters.clusters NamingStyle.shares
    NearDuplicates.pairs Parameters.defaults Parameters.names Readability.by_area
    Readability.scores SentenceLengths.distribution Spelling.candidates Tables.parse
    Vocabulary.frequencies Vocabulary.growth ZipfLaw.fit
""")
READ_DOCUMENT = names("DocumentReader.load Signatures.parse")
AFTER_LOAD = names("DocumentReader.extract_examples DocumentReader.extract_outline")
FACTS_ONLY = names("""
    BayesInference.telling Coherence.score Grouping.communities Grouping.duplicates Outliers.find
    RankAgreement.kendall Scaling.laws Spread.concentration Spread.diversity Themes.dominant
    Themes.support
""")
JUDGE = names("CoherenceAudit.check CompletenessAudit.missing ConsistencyAudit.agreement")
ALL = READ_TEXT_WHEN_MADE | READ_TEXT | READ_DOCUMENT | AFTER_LOAD | FACTS_ONLY | JUDGE

NOT_ROUNDED = names("""
    BayesInference.classify BayesInference.telling CooccurrenceGraph.communities
    CooccurrenceGraph.edges DocumentReader.extract_examples DocumentReader.extract_outline
    DocumentReader.load Grouping.communities Grouping.duplicates KeywordContext.lines
    Mentions.abbreviations Mentions.exceptions Mentions.standards NaiveBayes.fit
    NameClusters.clusters Signatures.parse SuffixIndex.phrases Tables.parse
""")

EDITS = {
    "a method": Edit(
        {"library/areas.py": [("if count > 2", "if count > 3")]},
        "library.areas:AreaProfile.terms changed",
        names("AreaProfile.terms"),
    ),
    "a method whose values stay equal": Edit(
        {
            "library/vocabulary.py": [
                (
                    "total = counts.total()\n        weights",
                    "total = sum(counts.values())\n        weights",
                )
            ]
        },
        "library.vocabulary:Vocabulary.frequencies changed",
        names("Vocabulary.frequencies"),
        ALL,
    ),
    "a helper in another module reached by three methods": Edit(
        {
            "library/evidence.py": [
                (
                    "for _, fact in sorted(facts.items()) if isinstance(fact, kind)",
                    "for _, fact in sorted(facts.items(), reverse=True) if isinstance(fact, kind)",
                )
            ]
        },
        "library.evidence:of_type changed",
        names("BayesInference.classify BayesInference.telling Scaling.laws"),
    ),
    "a helper's helper": Edit(
        {"library/edits.py": [("(letter != other)", "2 * (letter != other)")]},
        "library.edits:distance changed",
        names("NameClusters.clusters Spelling.candidates"),
    ),
    "a helper by which a constructor works": Edit(
        {"library/similarity.py": [("1 < on < 0.6 * len(pages)", "1 < on < 0.3 * len(pages)")]},
        "library.similarity:page_matrix changed",
        names("PageVectors.likeness PageVectors.nearest TopicModel.latent TopicModel.nonnegative"),
    ),
    "a constant": Edit(
        {"library/graphs.py": [("ROUNDS = 60", "ROUNDS = 2")]},
        "library.graphs:ROUNDS changed",
        names("CooccurrenceGraph.communities CooccurrenceGraph.pagerank CrossReferences.hubs"),
    ),
    "a constant from which another is made": Edit(
        {"library/areas.py": [('"PA10": "",', '"PA10": "__future__ antigravity this",')]},
        "library.areas:MEMBERS changed",
        names("""AreaAudit.presence AreaProfile.terms AreaSeparation.divergence
              BayesInference.classify CrossValidation.accuracy CrossValidation.learning_curve
              NaiveBayes.fit Readability.by_area Tables.parse TermIndex.area_terms
              TermIndex.clumped TermIndex.weights"""),
        names("""Grouping.communities Outliers.find Scaling.laws Spread.concentration
              Spread.diversity Themes.support"""),
    ),
    "a function's default": Edit(
        {"library/classify.py": [("min_words: int = 5", "min_words: int = 9")]},
        "library.classify:labelled_entries changed",
        names("CrossValidation.accuracy CrossValidation.learning_curve NaiveBayes.fit"),
    ),
    "a constructor's default": Edit(
        {"library/similarity.py": [("shingle: int = 3", "shingle: int = 2")]},
        "library.similarity:NearDuplicates.__init__ changed",
        names("NearDuplicates.pairs"),
    ),
    "an attribute of the base class": Edit(
        {"library/base.py": [("min_length = 3", "min_length = 4")]},
        "library.base:WordMethod.min_length changed",
        names("NGrams.surprise NGrams.top Vocabulary.frequencies Vocabulary.growth ZipfLaw.fit"),
    ),
    "a method of the base class": Edit(
        {"library/base.py": [("return dict(ordered[:size])", "return dict(ordered[: size // 2])")]},
        "library.base:WordMethod.ranking changed",
        names("""AreaProfile.terms Burstiness.bursts Collocations.by_information
              Collocations.by_likelihood CooccurrenceGraph.bridges CooccurrenceGraph.pagerank
              NGrams.top PageVectors.nearest Spelling.candidates TermIndex.area_terms
              TermIndex.clumped TermIndex.weights Vocabulary.frequencies"""),
    ),
    "another base class": Edit(
        {
            "library/vocabulary.py": [
                (
                    "class ZipfLaw(WordMethod):",
                    "class Longer(WordMethod):\n    min_length = 6\n\n\nclass ZipfLaw(Longer):",
                ),
            ]
        },
        "library.vocabulary:Longer.min_length is new",
        names("ZipfLaw.fit"),
    ),
    "a decorator": Edit(
        {
            "library/figures.py": [
                ("tidy(function(*args, **kwargs))", "tidy(tidy(function(*args, **kwargs)))")
            ]
        },
        "library.figures:rounded",
        ALL - NOT_ROUNDED,
        ALL - names("Grouping.duplicates"),  # beside random numbers, which come out otherwise
    ),
    "a decorator taken away": Edit(
        {"library/inference.py": [("    @rounded\n    def score(", "    def score(")]},
        "library.inference:Coherence.score changed",
        names("Coherence.score"),
    ),
    "a constructor argument in the settings": Edit(
        {"batchwright.toml": [("size = 3", "size = 2")]},
        "constructor argument 'size' changed",
        names("NGrams.surprise NGrams.top"),
    ),
    "a constructor argument that one of two methods looks at": Edit(
        {"batchwright.toml": [("rounds = 400\n", "rounds = 3\n")]},
        "constructor argument 'rounds' changed",
        names("TopicModel.latent TopicModel.nonnegative"),
        names("CoherenceAudit.check Grouping.duplicates Outliers.find Spread.diversity"),
    ),
    "a random method": Edit(
        {"library/sampling.py": [("k=sample))", "k=sample + 1))")]},
        "library.sampling:Bootstrap.documentation_length changed",
        names("Bootstrap.documentation_length"),
    ),
    "the method that loads": Edit(
        {"library/reader.py": [('read_text("utf-8"))', 'read_text("utf-8"))[1:]')]},
        {
            "DocumentReader.load": "library.reader:DocumentReader.load changed",
            "DocumentReader.extract_examples": "DocumentReader changed",
            "DocumentReader.extract_outline": "DocumentReader changed",
        },
        names("DocumentReader.load") | AFTER_LOAD,
        names("Grouping.duplicates"),
    ),
    "a method that failed, so that it does not": Edit(
        {"library/tables.py": [("        if not found:", "        if found is None:")]},
        "library.tables:Tables.parse changed",
        names("Tables.parse"),
    ),
    "two at once": Edit(
        {
            "library/readability.py": [("> 2 for word", "> 3 for word")],
            "library/audits.py": [("enough: int = 20", "enough: int = 10")],
        },
        {
            "Readability.scores": "library.readability:Readability._formulas changed",
            "Readability.by_area": "library.readability:Readability._formulas changed",
            "EvidenceAudit.coverage": "library.audits:EvidenceAudit.__init__ changed",
        },
        names("EvidenceAudit.coverage Readability.by_area Readability.scores"),
        names("CoherenceAudit.check"),
    ),
    "the document": Edit(
        {
            "docstrings.txt": [
                ("# module bdb\n", "# module bar\n\n    Another page of words.\n\n# module bdb\n")
            ]
        },
        dict.fromkeys(READ_TEXT, "argument 'text' changed")
        | dict.fromkeys(READ_TEXT_WHEN_MADE, "constructor argument 'text' changed")
        | dict.fromkeys(READ_DOCUMENT, "argument 'document' changed")
        | dict.fromkeys(AFTER_LOAD, "the calls before it on its DocumentReader changed"),
        READ_TEXT | READ_TEXT_WHEN_MADE | READ_DOCUMENT | AFTER_LOAD,
    ),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
def test_an_edit_recomputes_what_it_reaches_and_what_follows(library: Any, edit: Edit) -> None:
    for file, changes in edit.changes.items():
        library.edit(file, *changes)

    ran = library.run_beside_oracle(edit.reached)

    library.check(ran, reached=edit.reached, spared=edit.spared, causes=edit.cause)


NOTHING = {
    "a comment": {
        "library/words.py": [
            (
                "    lowered = word.lower()\n",
                "    # First of all.\n    lowered = word.lower()  # so\n",
            )
        ],
        "library/base.py": [("RANKED = 120\n", "RANKED = 120  # of each ranking\n")],
    },
    "docstrings": {
        "library/base.py": [('"""How often each word occurs."""', '"""Counts, by word."""')],
        "library/figures.py": [
            ("    They change with the number of its threads, and nobody reads them.\n", "")
        ],
        "library/graphs.py": [
            ('"""Two words that stand near each other, and how often."""', "...")
        ],
    },
    "formatting": {
        "library/words.py": [
            (
                "return [kept[word] for word in found if word in kept]",
                "return [\n        kept[word]\n\n        for word in found if word in kept]",
            )
        ],
        "library/audits.py": [
            (
                "import Facts, failures, rankings, sizes",
                "import (\n    sizes, rankings, failures, Facts,\n)",
            )
        ],
    },
    "an unrelated function": {
        "library/words.py": [
            (
                "def sentences_of",
                "def letters_of(text: str) -> set[str]:\n    return {*text}\n\n\ndef sentences_of",
            )
        ],
    },
}


@pytest.mark.parametrize("changes", NOTHING.values(), ids=NOTHING)
def test_an_edit_that_changes_no_meaning_recomputes_nothing(library: Any, changes: Any) -> None:
    for file, each in changes.items():
        library.edit(file, *each)
    library.check_nothing_ran(library.run())


def test_other_line_ends_recompute_nothing(library: Any) -> None:
    for path in (library.folder / "library").glob("*.py"):
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    library.check_nothing_ran(library.run())


def test_a_touched_document_recomputes_nothing(library: Any) -> None:
    document = library.folder / "docstrings.txt"
    document.write_bytes(document.read_bytes())
    os.utime(document, (1e9, 1e9))
    library.check_nothing_ran(library.run())


@pytest.mark.parametrize("edited", ["library/words.py", "docstrings.txt", "batchwright.toml"])
def test_what_is_put_back_as_it_was_is_known_again(library: Any, edited: str) -> None:
    path = library.folder / edited
    before = path.read_bytes()
    library.edit(
        edited,
        {
            "library/words.py": ("min_length: int = 3", "min_length: int = 5"),
            "docstrings.txt": ("# module bdb\n", "# module bar\n"),
            "batchwright.toml": ("window = 6", "window = 4"),
        }[edited],
    )
    assert library.run().contents() != library.cold.contents()

    path.write_bytes(before)

    library.check_nothing_ran(library.run())
