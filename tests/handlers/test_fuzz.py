"""A small share of `make fuzz`, and that it would notice: planted faults are counted, each in its column."""

from __future__ import annotations

import logging

import pytest
import structlog

from bench.fuzz.guided import fuzz_guided, is_here
from bench.fuzz.messengers import TELEGRAM, WHATSAPP, fuzz_messenger
from bench.fuzz.opening import open_house
from bench.fuzz.readers import CHECKS, Broken, check_intake, fuzz_reader
from bench.fuzz.run import AT_LEAST, doors, readers, run
from bench.fuzz.tally import Tally, lines_of
from db.intake import Intake
from handlers import openapi
from handlers.telegram.dispatch import TelegramDispatch
from handlers.telegram.intake import TelegramIntake

pytestmark = [
    # aiogram warns of kinds of updates that it does not know.
    pytest.mark.filterwarnings("ignore:Detected unknown update type:RuntimeWarning"),
    pytest.mark.usefixtures("quiet"),
]
SHARE = 0.012


@pytest.fixture
def quiet():
    """Let nobody write a trace for each input."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
    structlog.configure(**before)


@pytest.fixture
async def fuzzed(core, clock):
    async with open_house(core, clock) as house:
        yield house


def faults_of(tally):
    return {"5xx": tally.server_errors, "lost": tally.lost, "stuck": tally.stuck}


async def test_a_share_of_the_inputs_at_every_door_does_no_harm(fuzzed):
    tallies = [tally async for tally in run(doors(fuzzed), share=SHARE, seed=11)]

    assert {one.target: one.examples for one in tallies if not one.clean} == {}
    assert sum(one.inputs for one in tallies) > 300


@pytest.mark.parametrize("reader", sorted(CHECKS))
async def test_a_reader_reads_or_refuses_whatever_it_is_given(reader):
    tally = await fuzz_reader(reader, inputs=100 if reader == "company-file" else 1000, seed=12)

    assert tally.examples == []
    assert tally.clean


@pytest.mark.skipif(not is_here(), reason="atheris has no wheel for this machine")
async def test_a_reader_is_fuzzed_along_its_branches():
    tally = await fuzz_guided("telegram", inputs=2000, seed=13)

    assert tally.examples == []
    assert tally.inputs >= 2000


def test_a_whole_run_is_a_hundred_thousand_inputs_even_where_nothing_is_guided():
    planned = [inputs for _, inputs in [*doors(None).values(), *readers().values()]]

    # Batches are whole: a little less than planned may come of each target.
    assert sum(planned) > AT_LEAST * 1.02


# ---- it would notice


async def test_a_door_that_fails_is_counted(fuzzed, monkeypatch):
    accept = TelegramIntake.accept

    def failing(self, body):
        if b"caption" in body:
            raise KeyError("caption")
        return accept(self, body)

    monkeypatch.setattr(TelegramIntake, "accept", failing)
    tally = await fuzz_messenger(fuzzed, TELEGRAM, inputs=150, seed=15)

    assert tally.server_errors > 0
    assert "500" in tally.examples[0]


async def test_an_update_that_is_taken_and_not_stored_is_counted(fuzzed, monkeypatch):
    accept = Intake.accept

    async def forgetting(self, channel, updates, **options):
        kept = [one for one in updates if b"audio" not in one.payload]
        return await accept(self, channel, kept, **options)

    monkeypatch.setattr(Intake, "accept", forgetting)
    tally = await fuzz_messenger(fuzzed, WHATSAPP, inputs=150, seed=16)

    assert tally.lost > 0
    assert tally.server_errors == 0


async def test_an_update_over_which_the_worker_stumbles_is_counted(fuzzed, monkeypatch):
    feed = TelegramDispatch.feed

    async def stumbling(self, channel, update, collector):
        if b"latitude" in update.payload:
            raise KeyError("latitude")
        await feed(self, channel, update, collector)

    monkeypatch.setattr(TelegramDispatch, "feed", stumbling)
    tally = await fuzz_messenger(fuzzed, TELEGRAM, inputs=150, seed=17)

    assert tally.stuck > 0
    assert tally.server_errors == tally.lost == 0


async def test_an_answer_that_is_not_as_described_is_counted(core, clock, monkeypatch):
    told = openapi.describe()
    told["components"]["schemas"]["Alive"] = {"const": "something else"}
    monkeypatch.setattr(openapi, "describe", lambda: told)
    async with open_house(core, clock) as house:
        [tally] = [one async for one in run(doors(house), share=0.02, seed=18, only="openapi")]

    assert faults_of(tally) == {"5xx": tally.server_errors, "lost": 0, "stuck": 0}
    assert any("/health" in one for one in tally.examples)


def test_an_intake_whose_keys_no_database_takes_is_noticed(monkeypatch):
    monkeypatch.setattr("handlers.telegram.intake._integer", lambda value: value)

    with pytest.raises(Broken, match="key"):
        check_intake(TelegramIntake(), b'{"update_id": ' + b"9" * 3000 + b"}")


def test_the_table_says_each_target_and_the_sum():
    one, other = Tally(target="a", inputs=2), Tally(target="b", inputs=3)
    other.stick("why", of=b"x")

    lines = lines_of([one, other])

    assert lines[0].split() == ["target", "inputs", "5xx", "lost", "stuck", "seconds"]
    assert lines[-1].split()[:5] == ["all", "5", "0", "0", "1"]
    assert one.clean
    assert not other.clean
