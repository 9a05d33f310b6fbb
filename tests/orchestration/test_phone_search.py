"""The short ways of the search for phones find what the long one does."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from phonenumbers import PhoneMetadata

from orchestration.phone_search import FEWEST, FEWEST_WITH_PLUS, REGION, may_hold_phone, phones_in, search

_PIECES = st.one_of(
    st.sampled_from(
        [
            "+7 916 123-45-67",
            "8(916)1234567",
            "8 000 123 45 67",
            "+43 1110",
            "+49 30 123456",
            "810 43 1 234567",
            "7",
            "8",
        ]
    ),
    st.sampled_from(
        [" доб. 12", " ext. 9161234567", "x12", "tel:", "+", "＋", "(", ")", "[", "]", "/", ".", " - ", "–"]
    ),
    st.sampled_from(
        ["s_c16832f657", "d8e9f7e2-a230-5eb2-9543-1578d3f81fb2", "2026-11-27", "10:00", "\n", "\t", "\u00a0"]
    ),
    st.text(alphabet="0123456789", min_size=1, max_size=12),
    st.text(alphabet="٣०12 -.()/", max_size=8),
    st.text(max_size=4),
)
_TEXTS = st.lists(_PIECES, max_size=10).map("".join)


@given(_TEXTS)
@settings(max_examples=1500, deadline=None)
def test_the_quick_search_finds_what_the_long_one_does(text):
    assert phones_in(text) == search(text)
    assert phones_in(text) == search(text), "the second time too"


@given(_TEXTS)
@settings(max_examples=1500, deadline=None)
def test_what_is_told_apart_holds_no_number(text):
    if not may_hold_phone(text):
        assert not list(phonenumbers.PhoneNumberMatcher(text, REGION))


@pytest.mark.parametrize(
    "text", ["+7 916 123-45-67", "8(916)1234567", "89161234567", "+43 1110, 12345", "810 43 1 234567", "9161234567"]
)
def test_numbers_are_looked_for(text):
    assert may_hold_phone(text)


def test_no_country_has_shorter_numbers():
    """The library's tables change with its versions."""
    shortest = min(
        len(str(code)) + min(metadata.general_desc.possible_length)
        for code, regions in phonenumbers.COUNTRY_CODE_TO_REGION_CODE.items()
        for region in regions
        if (metadata := PhoneMetadata.metadata_for_region_or_calling_code(code, region)) is not None
    )
    national = PhoneMetadata.metadata_for_region(REGION)

    assert shortest >= FEWEST_WITH_PLUS
    assert len(national.international_prefix) + shortest >= FEWEST
    assert min(national.general_desc.possible_length) >= FEWEST
