"""Every exception a user can meet, one hierarchy under `BatchwrightError`.

A class's docstring is its default message. Codes are stable and explained one by one in
`docs/errors.md`: BW1xx the request (contracts, settings, inputs), BW2xx keys and the cache,
BW3xx the run, BW4xx the records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable


class BatchwrightError(Exception):
    """Something went wrong in batchwright."""

    code: ClassVar[str] = "BW000"

    def __init__(self, message: str | None = None) -> None:
        self.message = message if message is not None else (type(self).__doc__ or "").strip()
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.code} {self.message}"

    def __reduce__(self) -> tuple[type[BatchwrightError], tuple[str]]:
        return type(self), (self.message,)


# --- BW1xx: the request -------------------------------------------------------------------


class RequestError(BatchwrightError):
    """The request cannot be carried out as it stands."""

    code = "BW100"


class InvalidFleet(RequestError):
    """The fleet has errors."""

    code = "BW101"

    def __init__(self, errors: Iterable[RequestError] | str = ()) -> None:
        if isinstance(errors, str):
            self.errors: tuple[RequestError, ...] = ()
            super().__init__(errors)
            return
        self.errors = tuple(errors)
        count = len(self.errors)
        heading = f"the fleet has {count} error{'' if count == 1 else 's'}; nothing was run"
        super().__init__("\n".join([heading, *(f"  {error}" for error in self.errors)]))


# --- BW2xx: keys and the cache ------------------------------------------------------------


class CachingError(BatchwrightError):
    """The cache cannot do what was asked."""

    code = "BW200"


class UncacheableArgument(CachingError):
    """A value has no stable content to make a key from."""

    code = "BW201"


# --- BW3xx: the run -----------------------------------------------------------------------


class ExecutionError(BatchwrightError):
    """The run could not go on."""

    code = "BW300"


# --- BW4xx: the records -------------------------------------------------------------------


class RecordsError(BatchwrightError):
    """The state database cannot be used."""

    code = "BW400"
