"""The methods by the name of what they provide, and the plans made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Veto:
    """What a result does to the contract's when a trigger fires on it."""

    name: str
    trigger: str
    action: str
    scope: str
    rationale: str
    multiplier: float = 1.0

    def as_json(self) -> dict[str, Any]:
        """The veto as it stands in a contract."""
        return {
            "trigger": self.trigger,
            "action": self.action,
            "scope": self.scope,
            "confidence_multiplier": self.multiplier,
            "rationale": self.rationale,
        }


@dataclass(frozen=True)
class Method:
    """`Class.method`, the arguments it takes, its confidence, vetoes, arguments of its own."""

    call: str
    takes: tuple[str, ...] = ("text",)
    confidence: float = 0.8
    vetoes: tuple[Veto, ...] = ()
    args: dict[str, Any] = field(default_factory=dict)


class Plan(NamedTuple):
    """The type of the contracts, and what they observe, infer and audit, in order."""

    type: str
    observe: str
    infer: str
    audit: str

    @property
    def names(self) -> tuple[list[str], list[str], list[str]]:
        """The names of each phase."""
        return self.observe.split(), self.infer.split(), self.audit.split()

    @property
    def all(self) -> list[str]:
        """The names of all phases."""
        return [name for names in self.names for name in names]

    def __len__(self) -> int:
        return len(self.all)


MISSING = Veto(
    "missing_results", "missing > 0", "reduce_confidence", "raw_facts",
    "What follows from incomplete observations is worth less.", 0.7,
)  # fmt: skip
INCOHERENT = Veto(
    "incoherent", "coherence_score < 0.5", "reduce_confidence", "inferences",
    "Rankings that hardly overlap do not speak of one subject.", 0.5,
)  # fmt: skip
UNSUPPORTED = Veto(
    "unsupported", "consistency_score < 0.3", "reduce_confidence", "inferences",
    "Inferred words that no observation knows are no inference.", 0.5,
)  # fmt: skip
NO_EVIDENCE = Veto(
    "no_evidence", "coverage < 0.5", "invalidate_graph", "inferences",
    "A text that does not speak of the question cannot answer it.",
)  # fmt: skip
SMALL_AREA = Veto(
    "small_area", "presence_score < 0.5", "reduce_confidence", "contract",
    "Figures on little text are uncertain.", 0.6,
)  # fmt: skip

FACTS = ("raw_facts",)
BOTH = ("raw_facts", "inferences")

METHODS = {
    # observations
    "abbreviations": Method("Mentions.abbreviations"),
    "accuracy": Method("CrossValidation.accuracy", confidence=0.9),
    "area_profile": Method("AreaProfile.terms", ("text", "sector_id")),
    "area_readability": Method("Readability.by_area", ("text", "sector_id"), 0.6),
    "area_terms": Method("TermIndex.area_terms", ("sector_id",)),
    "bridges": Method("CooccurrenceGraph.bridges", ()),
    "clumped": Method("TermIndex.clumped", ()),
    "communities": Method("CooccurrenceGraph.communities", (), 0.6),
    "context": Method("KeywordContext.lines", ("text", "question_context"), 0.9),
    "cross_references": Method("CrossReferences.hubs"),
    "defaults": Method("Parameters.defaults", confidence=0.9),
    "documentation_interval": Method(
        "Bootstrap.documentation_length", confidence=0.95, args={"sample": 150}
    ),
    "edges": Method("CooccurrenceGraph.edges", ()),
    "examples": Method("DocumentReader.extract_examples", ()),
    "exceptions": Method("Mentions.exceptions", confidence=0.9),
    "frequencies": Method("Vocabulary.frequencies", confidence=0.9),
    "growth": Method("Vocabulary.growth"),
    "information": Method("Collocations.by_information"),
    "latent": Method("TopicModel.latent", (), 0.6),
    "learning_curve": Method("CrossValidation.learning_curve"),
    "likelihood": Method("Collocations.by_likelihood"),
    "likeness": Method("PageVectors.likeness", ()),
    "loaded": Method("DocumentReader.load", ("document",), 1.0),
    "name_clusters": Method("NameClusters.clusters", confidence=0.7),
    "naming": Method("NamingStyle.shares", confidence=0.9),
    "near_duplicates": Method("NearDuplicates.pairs"),
    "nearest": Method("PageVectors.nearest", ()),
    "ngrams": Method("NGrams.top"),
    "outline": Method("DocumentReader.extract_outline", (), 0.9),
    "page_model": Method("NaiveBayes.fit"),
    "pagerank": Method("CooccurrenceGraph.pagerank", ()),
    "parameters": Method("Parameters.names", confidence=0.9),
    "phrases": Method("SuffixIndex.phrases", ("question_context",)),
    "readability": Method("Readability.scores", confidence=0.6),
    "repeats": Method("SuffixIndex.repeats", ()),
    "sentence_interval": Method("Bootstrap.sentence_length", confidence=0.95),
    "sentence_lengths": Method("SentenceLengths.distribution"),
    "signatures": Method("Signatures.parse", ("document",), 0.9, args={"longest": 150}),
    "spelling": Method("Spelling.candidates", confidence=0.5),
    "standards": Method("Mentions.standards", confidence=0.9),
    "surprise": Method("NGrams.surprise"),
    "tables": Method("Tables.parse", ("text", "sector_id"), 0.7),
    "term_weights": Method("TermIndex.weights", ()),
    "topics": Method("TopicModel.nonnegative", (), 0.6),
    "zipf": Method("ZipfLaw.fit"),
    # inferences
    "bursts": Method("Burstiness.bursts", confidence=0.7),
    "coherence": Method("Coherence.score", FACTS, 0.7),
    "community_names": Method("Grouping.communities", FACTS, 0.6),
    "concentration": Method("Spread.concentration", FACTS),
    "diversity": Method("Spread.diversity", FACTS),
    "duplicate_groups": Method("Grouping.duplicates", FACTS),
    "laws": Method("Scaling.laws", FACTS),
    "outliers": Method("Outliers.find", FACTS, 0.6),
    "page_areas": Method("BayesInference.classify", ("raw_facts", "text"), 0.7),
    "rank_agreement": Method("RankAgreement.kendall", FACTS, 0.7),
    "separation": Method("AreaSeparation.divergence"),
    "support": Method("Themes.support", FACTS, 0.7),
    "telling_words": Method("BayesInference.telling", FACTS, 0.7),
    "themes": Method("Themes.dominant", FACTS, 0.7),
    # audits
    "area_presence": Method("AreaAudit.presence", ("text", "sector_id"), 0.9, (SMALL_AREA,)),
    "coherence_check": Method("CoherenceAudit.check", ("inferences",), 0.8, (INCOHERENT,)),
    "completeness": Method("CompletenessAudit.missing", BOTH, 0.9, (MISSING,)),
    "consistency": Method("ConsistencyAudit.agreement", BOTH, 0.8, (UNSUPPORTED,)),
    "evidence": Method("EvidenceAudit.coverage", ("text", "question_context"), 0.9, (NO_EVIDENCE,)),
}

PLANS = {
    "outline": Plan(
        "TYPE_A",
        "loaded outline examples frequencies abbreviations naming sentence_lengths readability",
        "themes coherence diversity",
        "completeness evidence area_presence",
    ),
    "style": Plan(
        "TYPE_A",
        "loaded examples readability sentence_lengths frequencies exceptions abbreviations",
        "themes outliers concentration",
        "completeness evidence area_presence",
    ),
    "vocabulary": Plan(
        "TYPE_B",
        "frequencies growth zipf ngrams surprise term_weights pagerank abbreviations",
        "themes support coherence laws",
        "coherence_check consistency evidence",
    ),
    "phrases": Plan(
        "TYPE_B",
        "ngrams surprise information likelihood frequencies repeats edges",
        "themes coherence rank_agreement",
        "completeness coherence_check evidence area_presence",
    ),
    "terms": Plan(
        "TYPE_B",
        "term_weights clumped frequencies information likelihood pagerank topics",
        "themes support coherence rank_agreement",
        "coherence_check consistency evidence area_presence",
    ),
    "profile": Plan(
        "TYPE_B",
        "area_profile area_terms area_readability frequencies term_weights exceptions "
        "abbreviations",
        "themes coherence separation",
        "coherence_check evidence area_presence",
    ),
    "similar_pages": Plan(
        "TYPE_B",
        "nearest likeness near_duplicates cross_references term_weights latent standards",
        "duplicate_groups outliers diversity themes",
        "completeness evidence area_presence",
    ),
    "keywords": Plan(
        "TYPE_B",
        "context phrases frequencies term_weights clumped information exceptions",
        "themes coherence bursts concentration",
        "coherence_check evidence area_presence",
    ),
    "network_of_words": Plan(
        "TYPE_C",
        "edges pagerank communities bridges frequencies information term_weights",
        "community_names rank_agreement coherence themes",
        "coherence_check consistency evidence",
    ),
    "references": Plan(
        "TYPE_C",
        "loaded outline cross_references standards exceptions abbreviations nearest",
        "themes outliers diversity concentration",
        "completeness evidence area_presence",
    ),
    "topics": Plan(
        "TYPE_C",
        "topics latent communities pagerank term_weights frequencies bridges",
        "themes community_names separation bursts",
        "completeness consistency evidence area_presence",
    ),
    "tables": Plan(
        "TYPE_D",
        "tables area_readability parameters defaults exceptions frequencies ngrams",
        "themes coherence separation",
        "completeness evidence area_presence",
    ),
    "signatures": Plan(
        "TYPE_D",
        "signatures parameters defaults naming loaded outline frequencies exceptions",
        "themes outliers diversity",
        "completeness evidence area_presence",
    ),
    "names": Plan(
        "TYPE_D",
        "naming name_clusters parameters signatures edges pagerank frequencies",
        "themes support rank_agreement",
        "completeness consistency evidence",
    ),
    "spelling": Plan(
        "TYPE_D",
        "spelling name_clusters frequencies term_weights growth zipf naming",
        "themes laws outliers concentration",
        "completeness evidence area_presence",
    ),
    "duplicates": Plan(
        "TYPE_D",
        "near_duplicates repeats nearest loaded examples documentation_interval naming",
        "duplicate_groups diversity outliers",
        "completeness evidence area_presence",
    ),
    "classifier": Plan(
        "TYPE_E",
        "page_model accuracy learning_curve latent frequencies term_weights topics",
        "page_areas telling_words themes separation",
        "completeness consistency evidence area_presence",
    ),
    "uncertainty": Plan(
        "TYPE_E",
        "sentence_interval documentation_interval sentence_lengths readability accuracy growth "
        "zipf frequencies",
        "laws themes concentration bursts",
        "completeness evidence area_presence",
    ),
    "passages": Plan(
        "TYPE_E",
        "repeats near_duplicates ngrams information likelihood page_model nearest frequencies",
        "duplicate_groups page_areas themes coherence rank_agreement",
        "completeness coherence_check evidence area_presence",
    ),
}
