"""What a soak complains of, in words, from what it has seen."""

from __future__ import annotations

from bench.soak import LIVING, Diary, as_text, complaints

WARM_S = 100.0


def seen(**figures):
    diary = Diary(written=1200, left={})
    for name, value_at in {f"{LIVING[0]}, MB": lambda at: 130.0, "keys in Redis": lambda at: 900.0, **figures}.items():
        for number in range(100):
            diary.note(name, number * 10.0, value_at(number * 10.0))
    return diary


def test_a_steady_installation_is_not_complained_of():
    assert complaints(seen(), WARM_S) == []


def test_what_is_taken_while_it_warms_up_does_not_count():
    assert complaints(seen(**{f"{LIVING[1]}, MB": lambda at: 300 + min(at, WARM_S)}), WARM_S) == []


def test_a_leak_and_growing_keys_are_told_with_their_slopes():
    diary = seen(**{f"{LIVING[1]}, MB": lambda at: 300 + at / 36, "keys in Redis": lambda at: 900 + at})

    assert complaints(diary, WARM_S) == [
        "the memory of worker 1 grows steadily: +100 MB an hour",
        "the keys in Redis grow steadily: +3600 an hour",
    ]


def test_work_that_is_left_and_a_process_that_ended_are_told():
    diary = seen()
    diary.left, diary.ended = {"updates": 2, "work": 1}, ["gateway"]

    assert complaints(diary, WARM_S) == [
        "gateway ended by itself",
        "2 updates left at the end",
        "1 work left at the end",
    ]


def test_the_table_has_every_figure_with_its_slope_after_the_warm_up():
    text = as_text(seen(**{f"{LIVING[1]}, MB": lambda at: 300 + at / 36}), WARM_S)

    assert "1200 messages" in text
    line = next(line for line in text.splitlines() if line.startswith("worker 1"))
    assert line.split()[-4:] == ["302.8", "327.5", "327.5", "+100.0"]
