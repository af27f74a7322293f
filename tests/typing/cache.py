"""What a type checker must see of memoized functions; checked by mypy, never run."""

from __future__ import annotations

from typing import assert_type

from batchwright.caching.cache import Cache, CacheStats, CheckReport
from batchwright.caching.memoize import Explanation, Memoized

cache = Cache(".cache", ttl=60.0, max_entries=10, max_bytes=1 << 20)


@cache.memoize
def bare(a: int, *, b: str = "") -> list[float]:
    return [float(a), float(b)]


@cache.memoize(ignore=["b"], version="2", ttl=5.0)
def with_options(a: int, b: str) -> dict[str, int]:
    return {b: a}


class Model:
    @cache.memoize
    def score(self, x: float) -> float:
        return x

    @staticmethod
    @cache.memoize
    def static(x: int) -> int:
        return x


assert_type(bare(1, b="x"), list[float])
assert_type(bare.call(1), list[float])
assert_type(bare.is_cached(1), bool)
assert_type(bare.key_for(1), str)
assert_type(bare.explain(1, b="x"), Explanation)
assert_type(bare.clear(), int)
assert_type(with_options(1, "x"), dict[str, int])
assert_type(Model().score(1.5), float)
assert_type(Model.static(1), int)
assert_type(cache.stats(), CacheStats)
assert_type(cache.check(), CheckReport)

as_variable: Memoized[[int, str], dict[str, int]] = with_options

bare("1")  # type: ignore[arg-type]
bare(1, c=2)  # type: ignore[call-arg]
bare.is_cached()  # type: ignore[call-arg]
with_options(1)  # type: ignore[call-arg]
Model().score("x")  # type: ignore[arg-type]
Model().score.explain()  # type: ignore[call-arg]
Model.static("x")  # type: ignore[arg-type]
cache.put(5, 1)  # type: ignore[arg-type]
