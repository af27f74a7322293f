"""A fleet named as `module:attribute`: imported, and turned into its step graph."""

from __future__ import annotations

import inspect
import os
import pkgutil
import sys
import traceback
from importlib import import_module
from typing import TYPE_CHECKING, Any

from batchwright.contracts.nearest import hint
from batchwright.contracts.pending import StepMaker, StepValue
from batchwright.contracts.python_graph import build_graph
from batchwright.errors import BatchwrightError, FleetObjectNotFound

if TYPE_CHECKING:
    from batchwright.contracts.graph import StepGraph


def load_object(name: str) -> StepGraph:
    """The step graph of a fleet named as `package.module:attribute`.

    The current folder is searched first, as `python -m` does. The attribute is what `run` takes,
    or a function without arguments that returns it.

    Raises:
        FleetObjectNotFound: there is no such module or attribute, or loading it failed.
        InvalidFleet: the object is no fleet, or has errors.
    """
    module_name, separator, attribute = name.partition(":")
    if not separator or not module_name or not attribute:
        raise FleetObjectNotFound(
            f"{name!r} is not of the form module:attribute, such as sweep:fleet"
        )
    if module_name.endswith(".py"):
        raise FleetObjectNotFound(
            f"{name!r}: the module goes by its name, without .py: "
            f"{module_name[:-3].replace(os.sep, '.').replace('/', '.')}:{attribute}"
        )
    found = _attribute(name, _module(name, module_name), attribute)
    return build_graph(_made(name, found))


def _module(name: str, module_name: str) -> Any:
    here = os.getcwd()  # noqa: PTH109  # sys.path holds text
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or module_name
        if missing == module_name or module_name.startswith(missing + "."):
            parent, _, last = missing.rpartition(".")
            near = hint(last, _modules_in(parent))
            raise FleetObjectNotFound(
                f"{name!r}: there is no module {missing!r} in {here} or on Python's path{near}"
            ) from None
        raise _failed(name, f"importing {module_name!r}", error) from error
    except BatchwrightError:
        raise
    except (Exception, SystemExit) as error:
        raise _failed(name, f"importing {module_name!r}", error) from error


def _attribute(name: str, module: Any, attribute: str) -> Any:
    found = module
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            public = [n for n in dir(found) if not n.startswith("_")]
            holder = f"module {found.__name__!r}" if found is module else f"{type(found).__name__}"
            raise FleetObjectNotFound(
                f"{name!r}: {holder} has no attribute {part!r}{hint(part, public)}"
            ) from None
    return found


def _made(name: str, found: Any) -> Any:
    if isinstance(found, StepMaker | StepValue) or not callable(found):
        return found
    try:
        inspect.signature(found).bind()
    except ValueError:
        pass  # it does not tell what it takes
    except TypeError as error:
        raise FleetObjectNotFound(
            f"{name!r} is called without arguments to get the fleet, but it is a "
            f"{type(found).__name__} with {error}"
        ) from None
    try:
        return found()
    except BatchwrightError:
        raise
    except (Exception, SystemExit) as error:
        raise _failed(name, f"calling {getattr(found, '__qualname__', found)}()", error) from error


def _failed(name: str, doing: str, error: BaseException) -> FleetObjectNotFound:
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename}, line {frames[-1].lineno})" if frames else ""
    if isinstance(error, SyntaxError):
        where = f" ({error.filename}, line {error.lineno})"
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return FleetObjectNotFound(
        f"{name!r}: {doing} failed with {type(error).__name__}: {text}{where}"
    )


def _modules_in(parent: str) -> list[str]:
    path = getattr(sys.modules.get(parent), "__path__", None) if parent else [*sys.path]
    return [module.name for module in pkgutil.iter_modules(path)] if path else []
