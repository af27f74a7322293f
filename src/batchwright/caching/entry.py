"""What is known of one entry without reading its value."""

from __future__ import annotations

import msgspec


class EntryInfo(msgspec.Struct, frozen=True):
    """One entry: its value's digest and where the value came from.

    `parts` maps a projection of the value, as text, to the digest of that part. `created` and
    `expires` are seconds since the epoch, `size` is in bytes as stored, `seconds` is what
    computing the value took, where that is known.
    """

    key: str
    digest: str = ""
    parts: dict[str, str] = {}
    method: str = ""
    created: float = 0.0
    expires: float | None = None
    size: int = 0
    codec: str = ""
    seconds: float | None = None

    def expired(self, now: float) -> bool:
        """Whether the entry must not be served any more at time `now`."""
        return self.expires is not None and now >= self.expires
