"""One turn's loop of model and tools: its limits, what is asked only once, and what is held back."""

from __future__ import annotations

import itertools

import pytest
from sqlalchemy import select

from db.models import tool_calls, turns
from db.records import Usage
from orchestration.agent import AgentLimits
from orchestration.ports import CallPart, Content, ModelAnswer, ResultPart, TextPart


class Plays:
    """A model that gives these contents one after another, the last one for ever; keeps what it was asked."""

    def __init__(self, contents):
        self._contents, self.asked = contents, []

    async def generate(self, request):
        self.asked.append(request)
        content = next(self._contents)
        return ModelAnswer(content=content, usage=Usage(calls=1), model="plays")


def call(number, name="get_services", **arguments):
    return CallPart(id=f"c{number}", name=name, arguments=arguments)


def says(text):
    return Content(role="model", parts=(TextPart(text=text),))


def calls(*parts):
    return Content(role="model", parts=parts)


class TestTheSameCall:
    @pytest.fixture
    def model(self):
        twice = calls(call(1), call(2))
        return Plays(itertools.chain([twice, calls(call(3))], itertools.repeat(says("Какая услуга вам нужна?"))))

    async def test_is_made_once_in_a_turn_and_each_asking_is_answered(self, house, model):
        answer = await house.client().says("Что у вас есть?")

        async with house.core.database.company(house.company_id) as tx:
            made = (await tx.connection.execute(select(tool_calls.c.name))).scalars().all()
        results = [part for one in model.asked[-1].contents for part in one.parts if isinstance(part, ResultPart)]
        assert "Какая услуга" in answer.text
        assert made == ["get_services"]
        assert [result.id for result in results] == ["c1", "c2", "c3"]
        assert results[0].response == results[1].response == results[2].response


class TestAModelThatNeverStops:
    @pytest.fixture
    def model(self):
        return Plays(calls(call(number, query=str(number))) for number in itertools.count())

    async def test_is_stopped_after_eight_rounds_and_the_buttons_go_on(self, house, model):
        client = house.client()
        answer = await client.says("Проверяй ещё и ещё")

        async with house.core.database.company(house.company_id) as tx:
            [spent] = (await tx.connection.execute(select(turns.c.calls))).scalars().all()
        assert len(model.asked) == spent == AgentLimits().rounds
        assert "администратор" in answer.text
        assert client.is_offered("Записаться")


class TestArgumentsThatDoNotFit:
    @pytest.fixture
    def model(self):
        wrong = calls(call(1, "get_available_slots", services="стрижка", date_from="завтра"))
        return Plays(itertools.chain([wrong], itertools.repeat(says("На какой день вас записать?"))))

    async def test_come_back_in_words_that_name_each_fault(self, house, model):
        await house.client().says("Стрижка завтра")

        [result] = [part for one in model.asked[-1].contents for part in one.parts if isinstance(part, ResultPart)]
        assert result.response["error"]["code"] == "invalid_arguments"
        assert "services" in result.response["error"]["message"]
        assert "date_from" in result.response["error"]["message"]


class TestAReplyWithoutGround:
    @pytest.fixture
    def model(self):
        return Plays(itertools.chain([says("Стрижка стоит 1000 руб.")], itertools.repeat(says("На какой день?"))))

    async def test_is_asked_for_again_with_the_reason(self, house, model):
        answer = await house.client().says("Сколько стоит стрижка?")

        assert "На какой день?" in answer.text
        told = model.asked[1].contents[-1].text
        assert "This figure was not given" in told
        assert "1000" in told


class TestAReplyThatStaysWithoutGround:
    @pytest.fixture
    def model(self):
        return Plays(itertools.repeat(says("Готово, записала вас на завтра!")))

    async def test_is_replaced_by_a_safe_one(self, house, model):
        answer = await house.client().says("Запишите меня")

        assert "Уточню это у администратора" in answer.text
        assert len(model.asked) == 2
        assert house.records() == []


class TestAdviceOnHealth:
    @pytest.fixture
    def model(self):
        return Plays(itertools.repeat(says("При аллергии окрашивание безопасно.")))

    async def test_is_a_persons_and_the_staff_are_told(self, house, model):
        answer = await house.client().says("У меня реакция на краску была")
        await house.settles()

        assert "отвечает специалист" in answer.text
        assert any("Вопрос о здоровье" in told for told in house.staff_heard())
