"""The secret that vouches for what is in the cache: 32 random bytes, the user's alone.

It lies outside every cache folder, so that whoever can write into one still cannot make an
entry that is believed.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import tempfile
import time
import warnings
from pathlib import Path

from batchwright.errors import SecretUnavailable

VARIABLE = "BATCHWRIGHT_SECRET_FILE"
SIZE = 32


def secret_path() -> Path:
    """Where the secret lies: what BATCHWRIGHT_SECRET_FILE names, else the user's data folder."""
    given = os.environ.get(VARIABLE)
    if given:
        return Path(given).expanduser()
    from platformdirs import user_data_path

    return user_data_path("batchwright", appauthor=False) / "secret"


def load_secret(path: Path | None = None) -> bytes:
    """The secret at `path` (by default `secret_path()`), made when there is none yet.

    Raises SecretUnavailable when it cannot be read, made, or trusted.
    """
    path = path if path is not None else secret_path()
    try:
        if not path.exists():
            _make(path)
        return _read(path)
    except OSError as error:
        raise SecretUnavailable(
            f"the cache's secret {path} cannot be read or made: {error.strerror or error}. "
            f"Make its folder writable, or name another file in {VARIABLE}"
        ) from error


def _read(path: Path) -> bytes:
    if os.name == "posix":
        _insist_on_privacy(path)
    secret = path.read_bytes()
    for _ in range(200):
        if secret:
            break
        # Where a file system has no hard links, another process may be about to fill it.
        time.sleep(0.01)
        secret = path.read_bytes()
    if len(secret) < SIZE:
        raise SecretUnavailable(
            f"the cache's secret {path} holds {len(secret)} bytes, not {SIZE}. Delete it to have "
            "a new one made; entries stored until now are then computed again"
        )
    return secret


def _insist_on_privacy(path: Path) -> None:
    status = path.stat()
    if status.st_uid not in (os.geteuid(), 0):
        raise SecretUnavailable(
            f"the cache's secret {path} belongs to another user (id {status.st_uid}), who could "
            f"forge entries. Name a file of your own in {VARIABLE}"
        )
    if not status.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        return
    try:
        path.chmod(0o600)
    except OSError as error:
        raise SecretUnavailable(
            f"the cache's secret {path} is open to other users (mode "
            f"{stat.S_IMODE(status.st_mode):04o}) and cannot be closed to them: "
            f"{error.strerror or error}. Run chmod 600 on it"
        ) from error
    warnings.warn(
        f"the cache's secret {path} was open to other users (mode "
        f"{stat.S_IMODE(status.st_mode):04o}); it is now yours alone. If someone may have read "
        "it, delete it and clear the cache",
        stacklevel=2,
    )


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".secret-")
    made = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(SIZE))
            file.flush()
            os.fsync(file.fileno())
        _publish(made, path)
    finally:
        made.unlink(missing_ok=True)


def _publish(made: Path, path: Path) -> None:
    # A link, unlike a rename, never replaces what another process put there first.
    with contextlib.suppress(FileExistsError):
        try:
            path.hardlink_to(made)
        except FileExistsError:
            raise
        except (OSError, NotImplementedError):
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as to:
                to.write(made.read_bytes())
