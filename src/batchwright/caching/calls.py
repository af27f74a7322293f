"""A call as a key: the function's code, its arguments by name with defaults, and a version."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from batchwright.caching.codec import is_immutable
from batchwright.errors import BatchwrightError, MissingPath, NotMemoizable, UncacheableArgument

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

# Part of every key: calls keyed in another way never share entries with these.
FORMAT = 1


class Call(msgspec.Struct, frozen=True):
    """One call: its key, the digest of the code, and the arguments that count, by name."""

    key: str
    code: str
    arguments: dict[str, Any]

    @property
    def settled(self) -> bool:
        """Whether nothing the function does can change what its arguments are."""
        return all(map(is_immutable, self.arguments.values()))


class Caller:
    """Makes keys for the calls of one function."""

    def __init__(
        self, function: Callable[..., Any], ignore: Collection[str], version: object
    ) -> None:
        self.function = function
        self.name = name_of(function)
        self._ignore = frozenset([ignore] if isinstance(ignore, str) else ignore)
        self._version = version
        try:
            self._signature = inspect.signature(function)
        except (TypeError, ValueError) as error:
            raise NotMemoizable(f"{self.name} has no signature to key its calls by") from error
        unknown = sorted(self._ignore - set(self._signature.parameters))
        if unknown:
            raise NotMemoizable(
                f"{self.name} has no parameter {unknown[0]!r} to ignore; it has "
                f"{', '.join(self._signature.parameters) or 'none'}"
            )

    def call(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], *, code: str | None = None
    ) -> Call:
        """The call with these arguments, of the code as it is now or as it was with that digest.

        Raises TypeError when the function does not take them, and UncacheableArgument, naming
        the argument, when one has no content to key by.
        """
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        arguments = {
            name: value for name, value in bound.arguments.items() if name not in self._ignore
        }
        from batchwright.caching.digest import digest

        code = self.code() if code is None else code
        try:
            key = digest(("memoize", FORMAT, code, arguments, self._version))
        except UncacheableArgument:
            self.digests(arguments)  # names the argument, if it is one
            raise
        return Call(key, code, arguments)

    def code(self) -> str:
        """The digest of the function's code as it is now."""
        from batchwright.caching.code import code_digest

        return code_digest(self.function)

    def code_parts(self) -> dict[str, str]:
        """The parts the code's digest covers, each with its own digest."""
        from batchwright.caching.code import describe

        return dict(describe(self.function).parts)

    def digests(self, arguments: Mapping[str, Any]) -> dict[str, str]:
        """Each argument's digest; UncacheableArgument naming the one that has none."""
        from batchwright.caching.digest import digest

        found = {}
        for name, value in arguments.items():
            try:
                found[name] = digest(value)
            except MissingPath:
                raise
            except BatchwrightError as error:
                raise UncacheableArgument(
                    f"cannot key argument {name!r} of {self.name}(): {error.message}; the "
                    "result was not cached. Leave the argument out with ignore=, or register a "
                    "digest for it"
                ) from error
        if self._version is not None:
            found["version="] = digest(self._version)
        return found


def name_of(function: Callable[..., Any]) -> str:
    """What figures and messages call a function: module and qualified name.

    A script goes by its file's stem, so that it shares entries with those who import it.
    """
    module = getattr(function, "__module__", None) or ""
    if module == "__main__":
        file = getattr(sys.modules["__main__"], "__file__", None)
        module = Path(file).stem if file else "__main__"
    return f"{module}.{getattr(function, '__qualname__', type(function).__qualname__)}"
