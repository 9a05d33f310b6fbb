"""One client's data over all channels: exported whole, erased without a trace but the act, others' untouched."""

from __future__ import annotations

import base64
import json
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, text

from bot.client_data import ClientData
from bot.erasure_acts import BadAct, check_signature, in_words, read_act
from db.appointments import Appointments
from db.booking_models import intents
from db.call_models import calls
from db.columns import metadata
from db.consents import Consents
from db.dialogues import Dialogues
from db.drafts import Draft, Drafts
from db.errors import Conflict, NotFound
from db.handovers import Handovers, MirrorItem
from db.late_answers import take_late_answer
from db.memory import Memory
from db.models import clients, messages, sessions
from db.outreach_log import OutreachLog
from db.outreach_records import (
    ASKED,
    Consent,
    ConsentKind,
    FreedOutcome,
    MessageKind,
    OfferOutcome,
    Rating,
    WaitingEntry,
    WaitingOffer,
)
from db.personal_data import PLACES
from db.privacy_models import erasures, signing_keys
from db.ratings import Ratings
from db.records import Author, HistoryMessage, dialogue_id_of, new_id
from db.remembered import ClientMemory
from db.reminders import Reminders
from db.sick_days import SickCause, SickDays, SickState
from db.staff_models import staff_messages
from db.waiting_list import WaitingList
from db.waiting_offers import WaitingOffers, free_time
from handlers.staff_notices import chat_with
from house_installation import STAFF_CHAT
from locales import Translator


@pytest.fixture
def data(house):
    return ClientData(house.core)


async def met_everywhere(house):
    """A client who booked over Telegram, wrote over WhatsApp, rang, and is remembered; return both of them."""
    whatsapp = await house.whatsapp_client("Зинаида")
    telegram = house.client("Зинаида")
    telegram.phone = whatsapp.phone
    await whatsapp.says("Здравствуйте, у меня кудрявые волосы")
    await telegram.reaches_proposal()
    await telegram.presses("Да, записать")
    await whatsapp.says("/person")
    await house.settles()
    channel = await house.channel()
    dialogue_id = dialogue_id_of(channel.id, f"{telegram.user.id}:{telegram.user.id}:")
    async with house.core.database.company(house.company_id) as tx:
        note = ClientMemory(summary="Зинаида любит стричься коротко", covers_until=new_id())
        await Memory().save(tx, dialogue_id, note, now=house.clock())
        await _shown_to_staff(tx, channel, dialogue_id, house.clock())
        for booked in await Appointments().list_upcoming(tx, [dialogue_id], now=house.clock()):
            await Reminders().plan(tx, booked, [timedelta(hours=2)], now=house.clock())
            await _late_to_a_sick_master(tx, channel, booked, house.clock())
        await waited_and_rated(tx, house, dialogue_id)
        call = {"channel_id": channel.id, "key": "CA1", "dialogue_id": dialogue_id_of(channel.id, "CA1")}
        await tx.connection.execute(
            insert(calls).values(company_id=house.company_id, caller=whatsapp.phone, started_at=house.clock(), **call)
        )
    return telegram, whatsapp


async def _late_to_a_sick_master(tx, channel, booked, now):
    """Let staff have answered a client who is late, and have found out that the master cannot come."""
    await take_late_answer(tx, new_id(), booked.dialogue_id, answer="wait", by="Мария", now=now)
    sick = await SickDays().create(
        tx,
        branch_id=booked.branch_id,
        master=booked.staff_name,
        day=booked.starts_at.date(),
        cause=SickCause.ASKED,
        state=SickState.PROPOSED,
        chat=chat_with(channel, str(STAFF_CHAT)),
        now=now,
    )
    await SickDays().add_visits(tx, sick, [booked], now=now)


async def _shown_to_staff(tx, channel, dialogue_id, now):
    """Let staff see the client, with something that is still to be shown, and an answer that is a draft."""
    staff_chat = chat_with(channel, str(STAFF_CHAT))
    dialogue = await Dialogues().find_dialogue(tx, dialogue_id)
    await Handovers().open(
        tx, dialogue, dialogues=[dialogue_id], staff_chat=staff_chat, reason="photo", now=now, at_once=False,
        client_waits=False,
    )  # fmt: skip
    words = [MirrorItem(author=Author.CLIENT, text="Это Зинаида", at=now)]
    await Handovers().show(tx, dialogue_id, channel.id, words, due_at=now + timedelta(days=1))
    draft = Draft(id=new_id(), dialogue_id=dialogue_id, turn_id=new_id(), replies=[{"text": "Зинаида, да"}], said={})
    await Drafts().put(tx, draft, now=now)
    told = {"staff_dialogue_id": staff_chat.id, "message_id": "1", "dialogue_id": dialogue_id}
    await tx.connection.execute(insert(staff_messages).values(company_id=tx.company, **told))


async def waited_and_rated(tx, house, dialogue_id):
    """Let the client have waited for a time, been offered one, agreed to it, and given stars."""
    now = house.clock()
    branch_id = (await house.core.companies.get_snapshot(house.company_id)).branches[0].id
    entry = WaitingEntry(
        id=new_id(),
        branch_id=branch_id,
        dialogue_id=dialogue_id,
        service_ids=("501",),
        service_names=("Стрижка женская",),
        staff_id=None,
        staff_name="",
        first_day=now.date(),
        last_day=now.date() + timedelta(days=2),
        earliest=None,
        latest=None,
        created_at=now,
        asked_at=now,
    )
    await WaitingList().add(tx, entry)
    starts_at = now + timedelta(days=1)
    await free_time(tx, branch_id, "7", staff_name="", starts_at=starts_at, duration=timedelta(hours=1), now=now)
    [freed] = await WaitingOffers().list_freed(tx, limit=1)
    offer = WaitingOffer(
        id=new_id(),
        freed_id=freed.id,
        entry=entry,
        staff_id="101",
        starts_at=starts_at,
        offered_at=now,
        expires_at=now,
        outcome=OfferOutcome.DECLINED,
    )
    await WaitingOffers().add(tx, offer)
    await WaitingOffers().close(tx, freed.id, FreedOutcome.NOBODY, now=now)
    await OutreachLog().add(tx, dialogue_id, MessageKind.OFFER, str(offer.id), requested=True, now=now)
    await Consents().add(
        tx, dialogue_id, Consent(kind=ConsentKind.WAITING_LIST, channel="telegram", given_at=now, wording_version="v")
    )
    rating = Rating(
        id=new_id(),
        visit="aiadm-1",
        dialogue_id=dialogue_id,
        branch_id=branch_id,
        service_names=("Стрижка женская",),
        staff_name="Анна Смирнова",
        starts_at=now,
        outcome=ASKED,
    )
    await Ratings().decide(tx, rating, now=now)
    await Ratings().explain(tx, rating.id, "Зинаида ждала")


async def every_row(house):
    """Everything that the database holds of the company, as text, by table."""
    found = {}
    async with house.core.database.company(house.company_id) as tx:
        for table in metadata.sorted_tables:
            rows = await tx.connection.execute(text(f"SELECT * FROM {table.name}"))
            found[table.name] = [
                " ".join(value.decode(errors="replace") if isinstance(value, bytes) else str(value) for value in row)
                for row in rows
            ]
    return found


async def in_redis(house):
    found = {}
    async for key in house.core.redis.scan_iter(match=f"{house.core.redis_prefix}*"):
        value = await house.core.redis.get(key) if await house.core.redis.type(key) == "string" else ""
        found[key] = value
    return found


async def test_an_erased_client_is_in_no_table_and_no_key_and_the_crm_keeps_what_is_the_business_own(house, data):
    telegram, whatsapp = await met_everywhere(house)
    other = house.client("Ольга")
    await other.reaches_proposal("16:00")
    await house.settles()
    [record] = [one for one in house.records() if one["client"]["phone"] == whatsapp.phone]

    plan = await data.plan(house.company_id, "8 " + whatsapp.phone[2:])
    outcome = await data.erase(plan)

    assert set(plan.rows) >= PLACES - {"slot_claims", "work"}
    assert plan.records == (str(record["id"]),)
    rows, keys = await every_row(house), await in_redis(house)
    ids = [str(one) for one in plan.subject.dialogue_ids]
    assert len(ids) == 3
    for trace in ("Зинаида", "кудрявые", whatsapp.phone, whatsapp.phone[1:], str(telegram.user.id), *ids):
        assert {name: row for name, several in rows.items() for row in several if trace in row} == {}, trace
        assert [key for key, value in keys.items() if trace in f"{key} {value}" and "null" not in value] == [], trace
    assert [one["client"]["phone"] for one in house.records()] == [whatsapp.phone]
    assert [one["record"] for one in outcome.act["act"]["kept_in_crm"]["records"]] == [str(record["id"])]
    assert any("Ольга" in row for row in rows["sessions"])
    assert (await other.says("Да")).text


async def test_who_writes_again_is_met_anew(house, data):
    telegram, whatsapp = await met_everywhere(house)
    await data.erase(await data.plan(house.company_id, whatsapp.phone))

    again = await telegram.says("Сколько стоит окрашивание?")

    assert "Я цифровой помощник" in again.text
    asked = json.dumps(house.vendors.gemini.requests[-1].body, ensure_ascii=False)
    assert "кудрявые" not in asked


async def test_the_act_names_what_the_order_wants_and_is_signed(house, data):
    _, whatsapp = await met_everywhere(house)

    outcome = await data.erase(
        await data.plan(house.company_id, whatsapp.phone), by="Иванова А. А., управляющая", processor="ООО «Платформа»"
    )

    document = read_act(json.dumps(outcome.act, ensure_ascii=False))
    assert await data.verify(document) == house.clock()
    words = in_words(document, Translator.for_language("ru"))
    for demanded in (
        "Салон красоты Элита",
        "ООО «Платформа»",
        whatsapp.phone,
        "Иванова А. А., управляющая",
        "имя, номер телефона",
        "AI-Admin",
        "удаление записей",
        "обращение субъекта",
        "2026-11-24",
        "ВЫГРУЗКА из журнала",
        "messages: ",
    ):
        assert demanded in words
    for path in (("act", "subject", "phone"), ("log_extract", "reason")):
        changed = json.loads(json.dumps(outcome.act))
        changed[path[0]][path[1]] = "x"
        with pytest.raises(BadAct, match="changed"):
            await data.verify(changed)


async def test_an_act_is_checked_with_the_public_key_alone_and_no_other_key_will_do(house, data):
    _, whatsapp = await met_everywhere(house)
    act = (await data.erase(await data.plan(house.company_id, whatsapp.phone))).act

    check_signature(act, base64.b64decode(act["signature"]["public_key"]))
    with pytest.raises(BadAct, match="another key"):
        check_signature(act, b"x" * 32)
    async with house.core.database.company(house.company_id) as tx:
        await tx.connection.execute(signing_keys.delete())
    with pytest.raises(NotFound):
        await data.verify(act)


async def test_the_record_of_an_erasure_holds_no_number_no_name_and_no_record_of_the_crm(house, data):
    _, whatsapp = await met_everywhere(house)

    act = (await data.erase(await data.plan(house.company_id, whatsapp.phone), by="Иванова А. А.")).act

    async with house.core.database.company(house.company_id) as tx:
        row = (await tx.connection.execute(select(erasures))).mappings().one()
    kept = json.dumps(row["record"], ensure_ascii=False)
    for personal in (whatsapp.phone[1:], "Иванова", act["act"]["kept_in_crm"]["records"][0]["record"]):
        assert personal not in kept
    assert row["subject"] == act["act"]["subject"]["identifier"]
    # The same number is the same person, so that the record is found when somebody asks.
    await house.client("Зинаида").says("Здравствуйте")
    async with house.core.database.company(house.company_id) as tx:
        assert await data._signing.identify(tx, whatsapp.phone) == row["subject"]
        assert await data._signing.identify(tx, "+79990000000") != row["subject"]


async def test_an_export_has_every_place_and_nobody_elses_words(house, data):
    _, whatsapp = await met_everywhere(house)
    await house.client("Ольга").says("Здравствуйте, секрет Ольги")
    await house.settles()

    exported = json.loads(json.dumps(await data.export(house.company_id, whatsapp.phone)))

    assert (exported["format"], exported["version"]) == ("ai-admin.client-export", 1)
    assert set(exported["data"]) == PLACES
    assert {one["channel"] for one in exported["subject"]["dialogues"]} == {"telegram", "whatsapp"}
    assert "кудрявые" in json.dumps(exported["data"]["messages"], ensure_ascii=False)
    assert exported["data"]["dialogue_memory"][0]["summary"] == "Зинаида любит стричься коротко"
    assert "wamid" in json.dumps(exported["data"]["accepted_updates"])
    assert exported["kept_in_crm"]["records"][0]["record"] == str(house.records()[0]["id"])
    assert "секрет Ольги" not in json.dumps(exported, ensure_ascii=False)
    assert "ticket" not in exported["data"]["calls"][0]


async def test_a_number_that_somebody_only_typed_counts_unless_it_is_left_out_and_never_a_proved_persons_dialogue(
    house, data
):
    typed, proved = house.client("Ольга"), house.client("Ирина")
    await typed.says("Здравствуйте")
    await proved.says("Здравствуйте")
    await proved.shares_contact()
    async with house.core.database.company(house.company_id) as tx:
        await tx.connection.execute(sessions.update().values(typed_phone="+79165556677"))

    found = (await data.plan(house.company_id, "+7 916 555-66-77")).subject

    assert list(found.found_by.values()) == ["typed"]
    with pytest.raises(NotFound):
        await data.plan(house.company_id, "+7 916 555-66-77", proved_only=True)


async def test_a_client_without_a_number_is_found_by_the_dialogue(house, data):
    client = house.client("Ольга")
    await client.says("Здравствуйте")
    async with house.core.database.company(house.company_id) as tx:
        dialogue_id = await tx.connection.scalar(select(sessions.c.id))

    await data.erase(await data.plan(house.company_id, str(dialogue_id)))

    with pytest.raises(NotFound):
        await data.plan(house.company_id, str(dialogue_id))
    with pytest.raises(NotFound, match="neither"):
        await data.plan(house.company_id, "nobody")


async def test_a_client_whose_booking_is_being_written_is_not_erased_yet(house, data):
    telegram, whatsapp = await met_everywhere(house)
    async with house.core.database.company(house.company_id) as tx:
        await tx.connection.execute(intents.update().values(status="called"))

    plan = await data.plan(house.company_id, whatsapp.phone)
    with pytest.raises(Conflict, match="being written"):
        await data.erase(plan)

    assert (await data.plan(house.company_id, whatsapp.phone)).rows == plan.rows
    assert (await telegram.says("Сколько стоит окрашивание?")).text


async def test_another_companys_client_with_the_same_number_stays(house, data, make_channel):
    _, whatsapp = await met_everywhere(house)
    other = await make_channel("other")
    async with house.core.database.company(other.company_id) as tx:
        await tx.connection.execute(
            insert(clients).values(company_id=other.company_id, id=new_id(), phone=whatsapp.phone)
        )
        dialogue_id = dialogue_id_of(other.id, "1:1:")
        said = HistoryMessage(author=Author.CLIENT, text="words", at=house.clock(), turn_id=new_id())
        await Dialogues().add_messages(tx, dialogue_id, [said])

    await data.erase(await data.plan(house.company_id, whatsapp.phone))

    async with house.core.database.company(other.company_id) as tx:
        assert len((await tx.connection.execute(select(messages))).all()) == 1
        assert len((await tx.connection.execute(select(clients))).all()) == 1
