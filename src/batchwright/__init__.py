"""batchwright: runs fleets of similar jobs, shared steps once and unchanged ones never.

The public names, each fetched from where it is defined when first used, so that importing the
package is quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from batchwright._version import __version__

if TYPE_CHECKING:
    from batchwright.caching.cache import Cache
    from batchwright.caching.code import code_digest
    from batchwright.caching.digest import digest
    from batchwright.contracts.contract import Contract
    from batchwright.contracts.grid import grid
    from batchwright.contracts.marks import stateful, stateless
    from batchwright.contracts.step import step
    from batchwright.execution.result import Result
    from batchwright.execution.runner import check, plan, run

_HOMES = {
    "Cache": "batchwright.caching.cache",
    "Contract": "batchwright.contracts.contract",
    "Result": "batchwright.execution.result",
    "check": "batchwright.execution.runner",
    "code_digest": "batchwright.caching.code",
    "digest": "batchwright.caching.digest",
    "grid": "batchwright.contracts.grid",
    "plan": "batchwright.execution.runner",
    "run": "batchwright.execution.runner",
    "stateful": "batchwright.contracts.marks",
    "stateless": "batchwright.contracts.marks",
    "step": "batchwright.contracts.step",
}

__all__ = [
    "Cache",
    "Contract",
    "Result",
    "__version__",
    "check",
    "code_digest",
    "digest",
    "grid",
    "plan",
    "run",
    "stateful",
    "stateless",
    "step",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'batchwright' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
