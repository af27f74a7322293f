"""How scikit-learn estimators are taken apart for their digest.

An unfitted estimator is its class, its parameters, and what else it was given (`set_output`).
A fitted one is refused: what it learned lies in
attributes of any kind, compiled ones among them, whose bytes change over a round trip through
pickle, so that a digest of them would differ between the process that fitted and one that loaded.
A caller who has it as a step's result tells it by how it came about instead.
"""

from __future__ import annotations

from typing import Any

from sklearn.base import BaseEstimator

from batchwright.caching.digest_encoding import Handler, Node, attributes, type_name
from batchwright.errors import UncacheableArgument


def find(kind: type) -> Handler | None:
    """The function that takes apart estimators, None for other types."""
    return _estimator if issubclass(kind, BaseEstimator) else None


def _estimator(estimator: Any) -> Node:
    state = vars(estimator)
    # By scikit-learn's own convention, which `check_is_fitted` follows too.
    learned = [name for name in state if name.endswith("_") and not name.startswith("__")]
    if learned:
        raise UncacheableArgument(
            f"{type_name(type(estimator))} is fitted (it has {min(learned)}), and a fitted "
            "estimator has no stable content; pass an unfitted one, or the step that fits it"
        )
    settings = {**state, **estimator.get_params(deep=False)}
    return Node("estimator", (type(estimator), attributes("", settings)))
