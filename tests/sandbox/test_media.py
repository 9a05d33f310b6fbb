"""The recordings and pictures of the sandboxes are real files, and say what was put into them."""

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from sandbox.media import photo, seconds_of, shown_in, voice_note, words_in

WORDS = "Ертең шашымды қидырғым келеді, завтра в 15:00"


class Page(NamedTuple):
    flags: int
    granule: int
    number: int
    body: bytes
    packets: int


def pages_of(recording: bytes) -> Iterator[Page]:
    """Read Ogg pages as RFC 3533 lays them out, checking each one's sum bit by bit."""
    while recording:
        magic, version, flags, granule, _, number, crc, count = struct.unpack_from("<4sBBqIIIB", recording)
        assert (magic, version) == (b"OggS", 0)
        lacing = recording[27 : 27 + count]
        end = 27 + count + sum(lacing)
        assert crc == checksum(recording[:22] + bytes(4) + recording[26:end])
        yield Page(flags, granule, number, recording[27 + count : end], sum(1 for one in lacing if one < 255))
        recording = recording[end:]


def checksum(page: bytes) -> int:
    value = 0
    for byte in page:
        for bit in range(7, -1, -1):
            carry = (value >> 31) ^ (byte >> bit & 1)
            value = (value << 1 & 0xFFFFFFFF) ^ (0x04C11DB7 if carry else 0)
    return value


@pytest.mark.parametrize("seconds", [0.02, 3, 61.5])
def test_a_recording_is_an_ogg_opus_file_that_lasts_so_long(seconds: float) -> None:
    head, tags, *sound = pages_of(voice_note(WORDS, seconds=seconds))

    assert (head.flags, head.packets, head.body[:8]) == (2, 1, b"OpusHead")
    assert (tags.granule, tags.packets, tags.body[:8]) == (0, 1, b"OpusTags")
    assert [one.number for one in sound] == list(range(2, 2 + len(sound)))
    assert [one.flags for one in sound] == [0] * (len(sound) - 1) + [4]
    assert sum(one.packets for one in sound) * 960 == sound[-1].granule == round(seconds * 48_000)
    assert seconds_of(voice_note(WORDS, seconds=seconds)) == seconds


@pytest.mark.parametrize("words", [WORDS, "", "да " * 2000, None], ids=["words", "none said", "long", "no tag"])
def test_a_recording_gives_back_its_words(words: str | None) -> None:
    assert words_in(voice_note(words, seconds=1)) == words


@pytest.mark.parametrize("recording", [b"", b"OggS", b"TRANSCRIPT=", b"RIFF....WAVEfmt "])
def test_other_bytes_hold_no_words_and_last_no_time(recording: bytes) -> None:
    assert words_in(recording) is None
    assert seconds_of(recording) == 0


@pytest.mark.parametrize("description", ["окрашивание омбре", None])
def test_a_picture_is_a_png_of_one_point_and_gives_back_what_it_shows(description: str | None) -> None:
    picture = photo(description)

    kinds, pixels, rest = [], b"", picture[8:]
    while rest:
        length, kind = struct.unpack_from(">I4s", rest)
        body = rest[8 : 8 + length]
        assert struct.unpack_from(">I", rest, 8 + length)[0] == zlib.crc32(kind + body)
        kinds.append(kind)
        pixels = zlib.decompress(body) if kind == b"IDAT" else pixels
        rest = rest[12 + length :]
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert [one for one in kinds if one != b"iTXt"] == [b"IHDR", b"IDAT", b"IEND"]
    assert len(pixels) == 2
    assert shown_in(picture) == description


@pytest.mark.parametrize("picture", [b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0JFIF Description"])
def test_other_pictures_show_nothing(picture: bytes) -> None:
    assert shown_in(picture) is None
