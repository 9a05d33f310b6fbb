"""The recordings and pictures that people in the sandboxes send.

There is no speech synthesiser here, and the stand-in for the model has no ears: a recording is a real Ogg Opus file of
silence (RFC 7845) that carries its words in a tag, a picture is a real PNG that carries its description in a text
chunk, and the stand-in reads those. One without the tag is to it what noise is to a person.
"""

from __future__ import annotations

import struct
import zlib

_TAG = b"TRANSCRIPT="
_PNG = b"\x89PNG\r\n\x1a\n"
_KEYWORD = b"Description"
_RATE = 48_000
_FRAME = 960
"""Samples of 20 ms."""
# TOC byte 0xF8 (CELT, fullband, 20 ms, mono) and the two bytes that libopus writes for silence.
_SILENCE = b"\xf8\xff\xfe"
_PACKETS_A_PAGE = 50


def voice_note(words: str | None, *, seconds: float) -> bytes:
    """Return a recording of silence that lasts so long; `words` None: one in which nothing can be made out."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 0, _RATE, 0, 0)
    comments = [_TAG + words.encode()] if words is not None else []
    vendor = b"AI-Admin sandbox"
    tags = b"OpusTags" + struct.pack("<I", len(vendor)) + vendor + struct.pack("<I", len(comments))
    for comment in comments:
        tags += struct.pack("<I", len(comment)) + comment
    pages = [_page(0, 0, [head], first=True), _page(1, 0, [tags])]
    packets = max(1, round(seconds * _RATE / _FRAME))
    for start in range(0, packets, _PACKETS_A_PAGE):
        count = min(_PACKETS_A_PAGE, packets - start)
        last = start + count == packets
        pages.append(_page(len(pages), (start + count) * _FRAME, [_SILENCE] * count, last=last))
    return b"".join(pages)


def words_in(recording: bytes) -> str | None:
    """Return the words that a recording carries; None where it carries none."""
    start = recording.find(_TAG)
    if start < 4:
        return None
    length = struct.unpack_from("<I", recording, start - 4)[0]
    return recording[start + len(_TAG) : start + length].decode(errors="replace")


def seconds_of(recording: bytes) -> float:
    """Return how long an Ogg recording is; 0 for anything else."""
    last = recording.rfind(b"OggS")
    if last < 0 or len(recording) < last + 14:
        return 0.0
    return float(struct.unpack_from("<q", recording, last + 6)[0]) / _RATE


def photo(description: str | None) -> bytes:
    """Return a picture of one grey point; `description` None: one that shows nothing in particular."""
    text = [] if description is None else [_chunk(b"iTXt", _KEYWORD + b"\0\0\0\0\0" + description.encode())]
    return b"".join(
        [
            _PNG,
            _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)),
            *text,
            _chunk(b"IDAT", zlib.compress(b"\0\x80")),
            _chunk(b"IEND", b""),
        ]
    )


def shown_in(picture: bytes) -> str | None:
    """Return what a picture is said to show; None where it says nothing."""
    position = len(_PNG)
    while picture.startswith(_PNG) and position + 8 <= len(picture):
        length, kind = struct.unpack_from(">I4s", picture, position)
        body = picture[position + 8 : position + 8 + length]
        if kind == b"iTXt" and body.startswith(_KEYWORD):
            return body[len(_KEYWORD) + 5 :].decode(errors="replace")
        position += 12 + length
    return None


def _page(number: int, granule: int, packets: list[bytes], *, first: bool = False, last: bool = False) -> bytes:
    """Make an Ogg page (RFC 3533); a packet longer than 254 bytes takes several segments."""
    segments = b"".join(b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255]) for packet in packets)
    flags = (2 if first else 0) | (4 if last else 0)
    header = struct.pack("<4sBBqIII", b"OggS", 0, flags, granule, 1, number, 0) + bytes([len(segments)]) + segments
    page = header + b"".join(packets)
    return page[:22] + struct.pack("<I", _crc(page)) + page[26:]


def _crc(data: bytes) -> int:
    """Return Ogg's own checksum: CRC-32 with 0x04c11db7, neither reflected nor inverted."""
    crc = 0
    for byte in data:
        crc = ((crc << 8) ^ _CRC_TABLE[(crc >> 24) ^ byte]) & 0xFFFFFFFF
    return crc


def _crc_entry(value: int) -> int:
    value <<= 24
    for _ in range(8):
        value = (value << 1) ^ 0x04C11DB7 if value & 0x80000000 else value << 1
    return value & 0xFFFFFFFF


_CRC_TABLE = [_crc_entry(value) for value in range(256)]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
