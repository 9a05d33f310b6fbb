"""Questions about the company: answered from what its file says, and from nothing else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.company_file import parse_company_file
from db.records import Company, CompanyId, CompanySnapshot, new_id
from orchestration.prompts import ClientFacts, PromptManager
from sandbox.scripted.facts import find_answer, read_facts

NOW = datetime(2026, 11, 24, 12, 4, tzinfo=UTC)
LONG = """
name: А
faq:
  - question: Есть парковка?
    answer: |-
      Да, во дворе.
      Въезд с улицы.
policies:
  опоздание: Ждём 15 минут.
"""


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("Есть ли у вас парковка?", "во дворе"),
        ("А парковка для гостей бесплатная?", "во дворе"),
        ("Можно оплатить картой?", "наличными"),
        ("Что будет, если я опоздаю?", "Ждём 15 минут"),
        ("Какие условия отмены?", "за 3 часа"),
        ("Можно купить подарочный сертификат?", "действуют год"),
    ],
)
async def test_a_question_is_answered_from_the_companys_faq_and_policies(house, question, says):
    client = house.client()

    answer = await client.says(question)

    assert says in answer.text
    assert house.staff_heard() == []


@pytest.mark.parametrize("question", ["Можно прийти с собакой?", "Есть ли у вас рассрочка?", "Какая у вас гарантия?"])
async def test_a_topic_in_neither_goes_to_a_person_and_is_not_guessed(house, question):
    client = house.client()

    answer = await client.says(question)

    assert "администратор" in answer.text.lower()
    people, bot_id = house.vendors.telegram.people, house.bots[house.company_id]
    await people.wait_for(bot_id, 555_000, lambda _: any(question in heard for heard in house.staff_heard()))


def test_the_script_reads_the_prompt_as_it_is_rendered_and_quotes_no_orders_to_the_model():
    file = parse_company_file(LONG + "instructions: 'Скидка: не больше 10%'\n")
    company = Company(id=CompanyId(new_id()), slug="a", name=file.name)
    snapshot = CompanySnapshot(company=company, agent=file.agent, branches=file.branches, crm=None)
    client = ClientFacts(name=None, language="ru", proved_phone=False)

    facts = read_facts(PromptManager().render(snapshot, client=client, now=NOW).system, NOW)

    assert facts.answers == (("Есть парковка?", "Да, во дворе.\nВъезд с улицы."), ("опоздание", "Ждём 15 минут."))
    assert find_answer(facts, "Есть скидка?") is None
