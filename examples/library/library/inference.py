"""What follows from the observed facts together."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from library.areas import area_of
from library.classify import NaiveBayesModel
from library.evidence import Facts, of_type, rankings, sizes
from library.figures import entropy, gini, rounded, shares
from library.naming import joined
from library.pages import pages_of
from library.vocabulary import PowerLaw
from library.words import normalise, words_of

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Diversity:
    """Of one ranking: bits of entropy, evenness from 0 to 1, and Simpson's index."""

    bits: float
    evenness: float
    simpson: float


class Themes:
    """Words that several rankings agree on."""

    def __init__(self, wanted: int = 25) -> None:
        self.wanted = wanted

    @rounded
    def dominant(self, raw_facts: Facts) -> dict[str, Any]:
        """Words by the sum of their reciprocal ranks over all rankings."""
        scores: defaultdict[str, float] = defaultdict(float)
        for ranking in rankings(raw_facts).values():
            for rank, item in enumerate(ranking, 1):
                for word in dict.fromkeys(map(normalise, item.split())):
                    scores[word] += 1 / rank
        best = sorted(scores.items(), key=lambda item: (-item[1], item[0]))[: self.wanted]
        return {"ranking": dict(best), "size": len(scores)}

    @rounded
    def support(self, raw_facts: Facts) -> dict[str, Any]:
        """In how many rankings the words stand that stand in more than one."""
        found = Counter(
            word for ranking in rankings(raw_facts).values() for word in _vocabulary(ranking)
        )
        shared = sorted((-count, word) for word, count in found.items() if count > 1)
        return {
            "ranking": {word: float(-count) for count, word in shared[: self.wanted]},
            "shared": len(shared) / max(len(found), 1),
            "size": len(found),
        }


def _vocabulary(items: Iterable[str]) -> set[str]:
    return {normalise(word) for item in items for word in item.split()}


class Coherence:
    """Whether the rankings speak of the same things."""

    @rounded
    def score(self, raw_facts: Facts) -> dict[str, Any]:
        """The mean overlap of every two rankings, and the overlap of each with the others."""
        found = {name: _vocabulary(ranking) for name, ranking in rankings(raw_facts).items()}
        means = {
            name: sum(_overlap(own, other) for rest, other in found.items() if rest != name)
            / max(len(found) - 1, 1)
            for name, own in found.items()
        }
        mean = sum(means.values()) / max(len(means), 1)
        return {"coherence": mean, "overlap": means, "size": len(found)}


def _overlap(first: set[str], second: set[str]) -> float:
    return len(first & second) / max(min(len(first), len(second)), 1)


class Spread:
    """How evenly the weights of each ranking are spread."""

    @rounded
    def _indices(self, weights: list[float]) -> tuple[float, float, float]:
        bits = entropy(weights)
        most = math.log2(len(weights)) if len(weights) > 1 else 1.0
        return bits, bits / most, 1 - math.fsum(part * part for part in shares(weights))

    def diversity(self, raw_facts: Facts) -> dict[str, Diversity]:
        """Indices of diversity of each ranking."""
        return {
            name: Diversity(*self._indices(list(ranking.values())))
            for name, ranking in rankings(raw_facts).items()
        }

    @rounded
    def concentration(self, raw_facts: Facts) -> dict[str, Any]:
        """Gini's coefficient and the share of the first ten of each ranking."""
        found = rankings(raw_facts)
        return {
            "gini": {name: gini(list(ranking.values())) for name, ranking in found.items()},
            "first_ten": {
                name: math.fsum(shares(list(ranking.values()))[:10])
                for name, ranking in found.items()
            },
            "size": len(found),
        }


class RankAgreement:
    """Whether the rankings put shared items in the same order."""

    @rounded
    def kendall(self, raw_facts: Facts) -> dict[str, Any]:
        """Kendall's tau of every two rankings on the items they share, where these are many."""
        found = rankings(raw_facts)
        names = sorted(found)
        agreement = {}
        for place, first in enumerate(names):
            for second in names[place + 1 :]:
                common = [item for item in found[first] if item in found[second]]
                if len(common) >= 8:
                    order = np.array([found[second][item] for item in common])
                    agreement[f"{first} {second}"] = tau(order)
        mean = sum(agreement.values()) / max(len(agreement), 1)
        return {"tau": agreement, "mean": mean, "size": len(agreement)}


def tau(weights: np.ndarray[Any, Any]) -> float:
    """Kendall's tau of weights against the order in which they stand, falling order as 1."""
    signs = np.sign(weights[:, None] - weights[None, :])
    size = len(weights)
    return float(np.triu(signs, 1).sum() / (size * (size - 1) / 2))


class Outliers:
    """Items whose weight stands out in their ranking."""

    def __init__(self, deviations: float = 6.0) -> None:
        self.deviations = deviations

    @rounded
    def find(self, raw_facts: Facts) -> dict[str, Any]:
        """Items more than `deviations` median absolute deviations above the median."""
        found = {}
        for name, ranking in rankings(raw_facts).items():
            weights = np.array(list(ranking.values()))
            median = np.median(weights)
            spread = float(np.median(np.abs(weights - median)))
            limit = median + self.deviations * spread
            found[name] = [item for item, weight in ranking.items() if weight > limit]
        return {"outliers": found, "size": sum(map(len, found.values()))}


class BayesInference:
    """Uses of the fitted model among the facts."""

    def __init__(self, shown: int = 10) -> None:
        self.shown = shown

    def classify(self, raw_facts: Facts, text: str) -> dict[str, Any]:
        """The area that the model gives to each page, and the pages where it is another."""
        model = self._model(raw_facts)
        guesses, wrong = {}, {}
        pages = pages_of(text)
        for page in pages:
            guesses[page.name] = model.predict(words_of(page.body))
            if guesses[page.name] != area_of(page):
                wrong[page.name] = area_of(page)
        right = 1 - len(wrong) / max(len(pages), 1)
        return {"areas": guesses, "wrong": wrong, "right": round(right, 8), "size": len(pages)}

    def telling(self, raw_facts: Facts) -> dict[str, list[str]]:
        """The words that speak most for each area against the others."""
        model = self._model(raw_facts)
        lift = np.round(model.likelihood - model.likelihood.mean(axis=0), 6)
        words = np.array(sorted(model.vocabulary, key=model.vocabulary.__getitem__))
        best = np.argsort(-lift, axis=1, kind="stable")[:, : self.shown]
        return {name: words[row].tolist() for name, row in zip(model.classes, best, strict=True)}

    def _model(self, raw_facts: Facts) -> NaiveBayesModel:
        models = of_type(raw_facts, NaiveBayesModel)
        if not models:
            message = "no fitted model among the facts: " + ", ".join(sorted(raw_facts))
            raise LookupError(message)
        model: NaiveBayesModel = models[0]
        return model


class Grouping:
    """Groups among the facts, told by what they hold."""

    def duplicates(self, raw_facts: Facts) -> dict[str, Any]:
        """Near duplicates joined to groups, with the modules each group spans."""
        pairs = [
            (str(first), str(second)) for first, second in raw_facts["near_duplicates"]["pairs"]
        ]
        groups = joined(pairs)
        modules = [sorted({name.partition(".")[0] for name in group}) for group in groups]
        return {"groups": groups[:50], "modules": modules[:50], "size": len(groups)}

    def communities(self, raw_facts: Facts) -> dict[str, Any]:
        """Each community of words named by its members that rank highest anywhere."""
        best: dict[str, float] = {}
        for ranking in rankings(raw_facts).values():
            for rank, word in enumerate(ranking, 1):
                best[word] = max(best.get(word, 0.0), 1 / rank)
        groups = raw_facts["communities"]["groups"]
        named = [sorted(group, key=lambda word: (-best.get(word, 0), word))[:4] for group in groups]
        return {"names": named, "sizes": [len(group) for group in groups], "size": len(groups)}


class Scaling:
    """What the fitted laws of growth say together."""

    @rounded
    def laws(self, raw_facts: Facts) -> dict[str, Any]:
        """The exponents and fits of the power laws among the facts, and the largest size."""
        laws = of_type(raw_facts, PowerLaw)
        worst = min((law.explained for law in laws), default=1.0)
        return {
            "exponents": [law.exponent for law in laws],
            "explained": worst,
            "size": max(sizes(raw_facts).values(), default=0),
        }
