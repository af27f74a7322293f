"""Functions that remember: a call's value is kept, and given again to an equal call.

Equal means: the same code, helpers included, and the same arguments by content. What cannot be
keyed or stored is computed each time, counted as bypassed, and said once.
"""

from __future__ import annotations

import functools
import inspect
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any, Concatenate, Generic, Literal, ParamSpec, TypeVar, overload

import msgspec

from batchwright.caching.calls import Caller
from batchwright.caching.codec import encode
from batchwright.errors import BatchwrightError, NotEncodable, NotMemoizable, UncacheableArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from batchwright.caching.cache import Cache
    from batchwright.caching.calls import Call
    from batchwright.caching.entry import EntryInfo

P = ParamSpec("P")
Q = ParamSpec("Q")
R = TypeVar("R")

# Under this name figures show what is kept to explain changes of code.
CODE_ENTRIES = "(code of memoized functions)"

Cause = Literal["hit", "never computed", "code changed", "argument changed", "expired", "bypass"]


class Explanation(msgspec.Struct, frozen=True):
    """Why a call would be served or computed; `detail` names what changed."""

    cause: Cause
    detail: str = ""

    @property
    def hit(self) -> bool:
        """Whether the call would be served."""
        return self.cause == "hit"

    def __str__(self) -> str:
        verdict = "hit" if self.hit else f"miss: {self.cause}"
        return f"{verdict} ({self.detail})" if self.detail else verdict


class Memoized(Generic[P, R]):
    """A function whose values are kept in a cache. Made by `Cache.memoize`."""

    def __init__(
        self,
        cache: Cache,
        function: Callable[P, R],
        *,
        ignore: Collection[str] = (),
        version: object = None,
        ttl: float | None = None,
    ) -> None:
        _refuse_coroutines(function)
        functools.update_wrapper(self, function)
        self.__wrapped__ = function
        self._cache = cache
        self._ttl = ttl
        self._caller = Caller(function, ignore, version)
        self._generates = inspect.isgeneratorfunction(function)
        self._warned: set[str] = set()

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        call = self._keyed(args, kwargs)
        if call is None:
            return self.__wrapped__(*args, **kwargs)
        value: R = self._handed_out(self._served_or_computed(call, args, kwargs))
        return value

    def __repr__(self) -> str:
        return f"<memoized {self._caller.name}>"

    def __reduce__(self) -> str:
        # By name, as functions are: the cache it uses is that of where it is loaded.
        return self.__wrapped__.__qualname__

    @overload
    def __get__(self, instance: None, owner: type | None = None) -> Memoized[P, R]: ...

    @overload
    def __get__(
        self: Memoized[Concatenate[Any, Q], R], instance: object, owner: type | None = None
    ) -> BoundMemoized[Q, R]: ...

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        method: Memoized[..., R] = self
        return BoundMemoized(method, instance)

    def call(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Calls the function itself, whatever is kept; its value is not kept either."""
        return self.__wrapped__(*args, **kwargs)

    def is_cached(self, *args: P.args, **kwargs: P.kwargs) -> bool:
        """Whether this call would be served from the cache."""
        call = self._keyed_quietly(args, kwargs)
        return call is not None and call.key in self._cache

    def key_for(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """The key of this call; UncacheableArgument when it has none."""
        return self._caller.call(args, kwargs).key

    def clear(self) -> int:
        """Drops what is kept of this function, of all versions of its code; how many values."""
        return self._cache.clear(method=self._caller.name)

    def explain(self, *args: P.args, **kwargs: P.kwargs) -> Explanation:
        """Whether this call would be served, and if not, why."""
        try:
            call = self._caller.call(args, kwargs)
        except BatchwrightError as error:
            return Explanation("bypass", error.message)
        if call.key in self._cache:
            return Explanation("hit")
        kept = [info for info in self._cache.entries(self._caller.name) if info.parts]
        if any(info.key == call.key for info in kept):
            return Explanation("expired")
        return self._difference(call, kept)

    # --- a call ---------------------------------------------------------------------------

    def _keyed(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
        try:
            return self._caller.call(args, kwargs)
        except UncacheableArgument as error:
            self._bypass("key", str(error))
            return None

    def _keyed_quietly(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], *, code: str | None = None
    ) -> Call | None:
        try:
            return self._caller.call(args, kwargs, code=code)
        except BatchwrightError:
            return None

    def _served_or_computed(self, call: Call, args: Any, kwargs: Any) -> Any:
        while True:
            found = self._cache._serve(call.key)
            if found is not None:
                return found[1]
            match self._cache._flights.join(call.key):
                case "lead":
                    return self._lead(call, args, kwargs)
                case "alone":
                    return self._compute(call, args, kwargs)[0]

    def _lead(self, call: Call, args: Any, kwargs: Any) -> Any:
        shared = True
        try:
            # Another thread may have landed between the look and the take-off.
            found = self._cache._serve(call.key)
            if found is not None:
                return found[1]
            value, shared = self._compute(call, args, kwargs)
            return value
        finally:
            self._cache._flights.land(call.key, shared=shared)

    def _compute(self, call: Call, args: Any, kwargs: Any) -> tuple[Any, bool]:
        # The value, and whether it is kept.
        self._cache._figures.miss(self._caller.name)
        # Before the call, for it may change its arguments.
        digests = self._caller.digests(call.arguments)
        started = time.perf_counter()
        value: Any = self.__wrapped__(*args, **kwargs)
        if self._generates:
            value = list(value)
        seconds = time.perf_counter() - started
        if not call.settled and self._changed(call, args, kwargs):
            return value, False
        try:
            payload = encode(value)
        except NotEncodable as error:
            self._bypass("value", f"the result of {self._caller.name}() was not cached: {error}")
            return value, False
        parts = {f"argument {name}": digest for name, digest in digests.items()}
        self._remember_code(call.code)
        self._cache.store(
            call.key,
            payload,
            digest="",
            parts={"code": call.code, **parts},
            method=self._caller.name,
            ttl=self._ttl,
            seconds=seconds,
        )
        return value, True

    def _changed(self, call: Call, args: Any, kwargs: Any) -> bool:
        # Of the code as it was: a global that the first call fills is another one afterwards.
        after = self._keyed_quietly(args, kwargs, code=call.code)
        if after is not None and after.key == call.key:
            return False
        self._bypass(
            "argument",
            f"the result of {self._caller.name}() was not cached: an argument, or a file it "
            "names, changed during the call. A function that changes its arguments cannot "
            "be served from a cache; let it work on a copy",
        )
        return True

    def _bypass(self, what: str, message: str) -> None:
        self._cache._figures.count("bypassed")
        if what not in self._warned:
            self._warned.add(what)
            warnings.warn(message, RuntimeWarning, stacklevel=_level_of_the_caller())

    def _handed_out(self, value: Any) -> Any:
        return iter(value) if self._generates else value

    # --- why ------------------------------------------------------------------------------

    def _remember_code(self, code: str) -> None:
        # What the code was made of, kept once for each state of it, lets `explain` name a change.
        key = f"memoize code {code}"
        if key not in self._cache:
            self._cache.put(key, self._caller.code_parts(), method=CODE_ENTRIES)

    def _difference(self, call: Call, kept: list[EntryInfo]) -> Explanation:
        now = {f"argument {name}": digest for name, digest in self._digests(call).items()}
        nearest: tuple[int, EntryInfo] | None = None
        for info in sorted(kept, key=lambda info: -info.created):
            differing = _differing(now, info.parts)
            if not differing:
                return Explanation("code changed", self._code_change(info.parts["code"]))
            same_code = info.parts["code"] == call.code
            if same_code and (nearest is None or len(differing) < nearest[0]):
                nearest = len(differing), info
        if nearest is None:
            return Explanation("never computed")
        names = _differing(now, nearest[1].parts)
        return Explanation(
            "argument changed", ", ".join(name.removeprefix("argument ") for name in names)
        )

    def _digests(self, call: Call) -> dict[str, str]:
        return self._caller.digests(call.arguments)

    def _code_change(self, before: str) -> str:
        parts = self._cache._peek(f"memoize code {before}")
        if not isinstance(parts, dict):
            return ""
        names = _differing(self._caller.code_parts(), parts)
        return ", ".join(f"{name} changed" for name in names)


class BoundMemoized(Generic[P, R]):
    """A memoized method of one object, which counts by its contents."""

    def __init__(self, memoized: Memoized[Concatenate[Any, P], R], instance: object) -> None:
        self.__self__ = instance
        self.__func__ = memoized
        functools.update_wrapper(self, memoized.__wrapped__)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.__func__(self.__self__, *args, **kwargs)

    def __repr__(self) -> str:
        return f"<bound {self.__func__!r} of {self.__self__!r}>"

    def call(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """As `Memoized.call`."""
        return self.__func__.call(self.__self__, *args, **kwargs)

    def is_cached(self, *args: P.args, **kwargs: P.kwargs) -> bool:
        """As `Memoized.is_cached`."""
        return self.__func__.is_cached(self.__self__, *args, **kwargs)

    def explain(self, *args: P.args, **kwargs: P.kwargs) -> Explanation:
        """As `Memoized.explain`."""
        return self.__func__.explain(self.__self__, *args, **kwargs)

    def key_for(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """As `Memoized.key_for`."""
        return self.__func__.key_for(self.__self__, *args, **kwargs)

    def clear(self) -> int:
        """Drops what is kept of this method, for all objects; how many values."""
        return self.__func__.clear()


def _level_of_the_caller() -> int:
    # The warning is the concern of whoever made the call, however deep in here it arises.
    level, frame = 1, sys._getframe(1)
    while frame.f_code.co_filename == __file__ and frame.f_back is not None:
        level, frame = level + 1, frame.f_back
    return level


def _differing(one: dict[str, str], other: dict[str, str]) -> list[str]:
    names = dict.fromkeys([*one, *(name for name in other if name != "code")])
    return [name for name in names if one.get(name) != other.get(name)]


def _refuse_coroutines(function: object) -> None:
    if not callable(function):
        raise NotMemoizable(
            f"{function!r} is not callable; put @cache.memoize below @staticmethod, @classmethod "
            "or @property"
        )
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        name = getattr(function, "__qualname__", repr(function))
        raise NotMemoizable(
            f"{name} is async, and its value would be a coroutine that can be awaited only once. "
            "Memoize the synchronous function inside it"
        )
