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


class MissingPath(RequestError):
    """A file or folder that is needed is not there."""

    code = "BW102"


class SourceNotFound(RequestError):
    """There is no fleet at the place given."""

    code = "BW110"


class UnreadableSource(RequestError):
    """A file of the fleet cannot be read."""

    code = "BW111"


class BrokenDocument(RequestError):
    """A document is not well-formed."""

    code = "BW112"


class EmptyFleet(RequestError):
    """The fleet has no contracts."""

    code = "BW113"


class InvalidContract(RequestError):
    """A contract does not have the shape of a contract."""

    code = "BW114"


class DuplicateContract(RequestError):
    """Two contracts have one id."""

    code = "BW115"


class InvalidSettings(RequestError):
    """The settings are not valid."""

    code = "BW116"


class MethodsImportError(RequestError):
    """A module that the settings name cannot be imported."""

    code = "BW117"


class AmbiguousClass(RequestError):
    """One class or function name stands for different objects in two modules."""

    code = "BW118"


class UnknownClass(RequestError):
    """No methods module has a class of this name."""

    code = "BW119"


class UnknownMethod(RequestError):
    """There is no method or function of this name."""

    code = "BW120"


class UnknownPhase(RequestError):
    """A contract has no phase of this name."""

    code = "BW121"


class UnknownOutput(RequestError):
    """A method requires an output that no phase of its contract makes."""

    code = "BW122"


class DuplicateOutput(RequestError):
    """Two results of a contract would stand under one name."""

    code = "BW123"


class UnknownContract(RequestError, KeyError):
    """There is no contract of that id."""

    code = "BW124"


class DependencyCycle(RequestError):
    """Phases or contracts wait for each other in a circle."""

    code = "BW125"


class MissingArgument(RequestError):
    """Nothing gives an argument that a method needs."""

    code = "BW126"


class UnknownArgument(RequestError):
    """An argument is given that the method does not take."""

    code = "BW127"


class InvalidVeto(RequestError):
    """A veto condition cannot be applied."""

    code = "BW128"


class UnreadableInput(RequestError):
    """An input cannot be read."""

    code = "BW129"


class NoSignature(RequestError):
    """The parameters of a callable cannot be found out."""

    code = "BW130"


class NothingSelected(RequestError):
    """No contract matches the pattern."""

    code = "BW131"


class InvalidFactory(RequestError):
    """A factory of the settings cannot be used."""

    code = "BW132"


class UnwritableOutput(RequestError):
    """What was asked for cannot be written where it was asked for."""

    code = "BW133"


class UnusableFolder(RequestError):
    """A folder cannot be used for what it was given for."""

    code = "BW134"


class InvalidDuration(RequestError, ValueError):
    """A length of time is not written as one."""

    code = "BW135"


class InvalidSample(RequestError, ValueError):
    """A sample is not written as one."""

    code = "BW136"


class NotCallable(RequestError, TypeError):
    """A step cannot be made of this."""

    code = "BW140"


class WrongCall(RequestError, TypeError):
    """The arguments do not fit the step function's signature."""

    code = "BW141"


class StepUsedAsValue(RequestError, TypeError):
    """A step was used as if its value existed already."""

    code = "BW142"


class StepHasNoAttribute(StepUsedAsValue, AttributeError):
    """An attribute of a step's value was asked for before the value exists."""

    code = "BW143"


class MisplacedStep(RequestError, TypeError):
    """A step stands where steps are not looked for."""

    code = "BW144"


class UnknownObjectMethod(RequestError, AttributeError):
    """The class has no such method."""

    code = "BW145"


class NotAContract(RequestError, TypeError):
    """A contract cannot be made of this."""

    code = "BW146"


class InvalidGrid(RequestError, ValueError):
    """A grid cannot be made of these axes."""

    code = "BW151"


class FleetObjectNotFound(RequestError):
    """The fleet given as `module:attribute` cannot be had."""

    code = "BW152"


# --- BW2xx: keys and the cache ------------------------------------------------------------


class CachingError(BatchwrightError):
    """The cache cannot do what was asked."""

    code = "BW200"


class UncacheableArgument(CachingError):
    """A value has no stable content to make a key from."""

    code = "BW201"


class NotEncodable(CachingError):
    """A value cannot be stored: it stands for something that lives outside it, as a handle does."""

    code = "BW210"


class CacheUnavailable(CachingError):
    """The cache's folder cannot be used."""

    code = "BW211"


class SecretUnavailable(CachingError):
    """The secret that vouches for cache entries cannot be read or made."""

    code = "BW212"


class NotMemoizable(CachingError):
    """A function of this kind cannot be memoized."""

    code = "BW213"


# --- BW3xx: the run -----------------------------------------------------------------------


class ExecutionError(BatchwrightError):
    """The run could not go on."""

    code = "BW300"


class StepFailed(ExecutionError):
    """A step raised an exception."""

    code = "BW301"


class NoResult(ExecutionError):
    """There is no such result."""

    code = "BW302"


# --- BW4xx: the records -------------------------------------------------------------------


class RecordsError(BatchwrightError):
    """The state database cannot be used."""

    code = "BW400"


class RecordsUnavailable(RecordsError):
    """The state database cannot be opened."""

    code = "BW401"


class DamagedRecords(RecordsError):
    """The state database is damaged, or of another format."""

    code = "BW402"


class UnknownRun(RecordsError):
    """There is no such run."""

    code = "BW403"
