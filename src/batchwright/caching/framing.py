"""One block of bytes holding a head and any number of buffers, each aligned for numpy."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# numpy wants no more than 16; a cache line lets a copy run at full speed.
_ALIGNMENT = 64
_COUNTS = struct.Struct("<QQ")


def join(head: bytes, buffers: Sequence[memoryview]) -> bytes:
    """`head` and `buffers` (flat views of bytes) as one block."""
    sizes = struct.pack(f"<{len(buffers)}Q", *(len(buffer) for buffer in buffers))
    pieces: list[bytes | memoryview] = [_COUNTS.pack(len(head), len(buffers)), sizes, head]
    position = _COUNTS.size + len(sizes) + len(head)
    for buffer in buffers:
        gap = -position % _ALIGNMENT
        pieces += [bytes(gap), buffer]
        position += gap + len(buffer)
    return b"".join(pieces)


def split(block: bytearray) -> tuple[memoryview, list[memoryview]]:
    """The head and buffers of a block, as writable views of it; ValueError when it is cut."""
    view = memoryview(block)
    if len(view) < _COUNTS.size:
        raise ValueError("the block is cut short")
    head_size, count = _COUNTS.unpack_from(view)
    position = _COUNTS.size + 8 * count
    if position + head_size > len(view):
        raise ValueError("the block is cut short")
    sizes = struct.unpack_from(f"<{count}Q", view, _COUNTS.size)
    head = view[position : position + head_size]
    position += head_size
    buffers = []
    for size in sizes:
        position += -position % _ALIGNMENT
        buffers.append(view[position : position + size])
        position += size
    if position > len(view):
        raise ValueError("the block is cut short")
    return head, buffers
