"""What the model is shown of a person, and what comes back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db.records import Usage
from orchestration.masking import MaskingModel
from orchestration.ports import (
    CallPart,
    Content,
    Listener,
    ModelAnswer,
    ModelRequest,
    ResultPart,
    TextPart,
)

STABLE = "Салон Элита, тел. +7 (495) 123-45-67, info@elita.example. Мастера: Анна, Мария."


class Parrot:
    """A model that keeps what it was asked, and answers what it was told to, in pieces where somebody listens."""

    def __init__(self, *parts, pieces=()):
        self.parts = parts or (TextPart(text="Хорошо."),)
        self.pieces = pieces
        self.asked = None

    async def generate(self, request):
        self.asked = request
        for piece in self.pieces:
            await request.listener.hear(piece)
        return ModelAnswer(content=Content(role="model", parts=self.parts), usage=Usage(), model="parrot")

    @property
    def shown(self):
        return "\n".join(part.model_dump_json() for content in self.asked.contents for part in content.parts)


def question(*said, private=("Елена Петрова",), contents=(), **fields):
    told = [*contents, *(Content(role="user", parts=(TextPart(text=one),)) for one in said)]
    return ModelRequest(
        system=f"{STABLE}\n\nИмя клиента: Елена Петрова",
        stable=STABLE,
        contents=told,
        tools=(),
        timeout=timedelta(seconds=5),
        private=private,
        **fields,
    )


@pytest.mark.parametrize(
    ("said", "hidden"),
    [
        ("Мой номер +7 916 123-45-67", ["916", "45-67"]),
        ("8(916)1234567", ["916", "1234567"]),
        ("мой телефон 8 000 123 45 67", ["000 123"]),
        ("Пишите на lena.p@mail.example", ["lena.p"]),
        ("Запишите Елену Петрову", ["Елен", "Петров"]),
        ("Это для Петровой", ["Петров"]),
        ("Меня зовут Снежана, хочу постричься", ["Снежана"]),
        ("меня зовут снежана", ["снежана"]),
        ("Ирина", ["Ирина"]),
        ("My name is Winifred Brown", ["Winifred", "Brown"]),
        ("Менің атым Айсұлу", ["Айсұлу"]),
    ],
)
async def test_a_persons_data_is_not_shown_to_the_model(said, hidden):
    model = Parrot()

    await MaskingModel(model).generate(question(said))

    for one in hidden:
        assert one not in model.shown


@pytest.mark.parametrize(
    "said",
    [
        "Ваш номер 8 495 123-45-67?",
        "А почта info@elita.example?",
        "Запишите к мастеру Анне на 26.11.2026 10:00",
        "К Анне, пожалуйста",
        "мастер Ирина работает?",
        "Стрижка 2500 руб., 60 минут, завтра 2026-11-26 15:00 - 16:00",
    ],
)
async def test_the_companys_own_words_dates_and_prices_stay_readable(said):
    model = Parrot()

    await MaskingModel(model).generate(question(said))

    assert said in model.shown


async def test_a_client_named_as_a_master_of_the_crm_does_not_hide_the_master():
    model = Parrot()
    results = Content(role="user", parts=(ResultPart(name="get_staff", response={"staff": ["Ольга Иванова"]}),))

    await MaskingModel(model).generate(question("Можно к Ольге?", private=("Ольга",), contents=[results]))

    assert "Ольге" in model.shown
    assert "Ольга Иванова" in model.shown


async def test_the_prompt_hides_the_name_and_keeps_what_the_company_says():
    model = Parrot()

    await MaskingModel(model).generate(question("Здравствуйте"))

    assert model.asked.system == f"{STABLE}\n\nИмя клиента: NAME_1"


async def test_what_the_model_says_and_asks_of_tools_has_the_data_again():
    model = Parrot(
        TextPart(text="NAME_1, записать вас по PHONE_1?"),
        CallPart(name="create_appointment", arguments={"phone": "PHONE_1", "people": [{"name": "NAME_2"}]}),
    )

    answer = await MaskingModel(model).generate(question("Мой номер +7 916 123-45-67"))

    assert answer.content.text == "Елена Петрова, записать вас по +7 916 123-45-67?"
    [call] = answer.content.calls
    assert call.arguments == {"phone": "+7 916 123-45-67", "people": [{"name": "Елена"}]}


async def test_one_number_written_two_ways_is_one_placeholder():
    model = Parrot()

    await MaskingModel(model).generate(question("+7 916 123-45-67", "8 (916) 123 45 67"))

    assert model.shown.count("PHONE_1") == 2


async def test_data_that_the_model_was_told_before_is_hidden_in_its_own_words_and_calls_too():
    model = Parrot()
    earlier = [
        Content(role="user", parts=(TextPart(text="Меня зовут Снежана, +7 916 123-45-67"),)),
        Content(role="model", parts=(CallPart(name="book", arguments={"client_name": "Снежана"}),)),
        Content(role="user", parts=(ResultPart(name="book", response={"told": "+79161234567"}),)),
        Content(role="model", parts=(TextPart(text="Снежана, записать?"),)),
    ]

    await MaskingModel(model).generate(question("да", contents=earlier))

    assert "Снежан" not in model.shown
    assert "9161234567" not in model.shown


@pytest.mark.parametrize(
    "pieces",
    [
        ("Добрый день, NAME_1!",),
        ("Добрый день, NA", "ME_", "1", "!"),
        ("Добрый день, ", "NAME", "_1!"),
        tuple("Добрый день, NAME_1!"),
    ],
)
async def test_a_placeholder_in_pieces_is_heard_whole(pieces):
    heard = []

    async def take(piece):
        heard.append(piece)

    model = Parrot(TextPart(text="".join(pieces)), pieces=pieces)

    await MaskingModel(model).generate(question("Здравствуйте", listener=Listener(take)))

    assert "".join(heard) == "Добрый день, Елена Петрова!"


async def test_the_end_of_a_stream_that_looks_like_the_beginning_of_a_placeholder_is_heard():
    heard = []

    async def take(piece):
        heard.append(piece)

    model = Parrot(TextPart(text="Да, SPA"), pieces=("Да, SPA",))

    await MaskingModel(model).generate(question("Есть SPA?", listener=Listener(take)))

    assert "".join(heard) == "Да, SPA"


async def test_a_placeholder_that_stands_for_nobody_stays_as_it_is():
    model = Parrot(TextPart(text="NAME_9"))

    answer = await MaskingModel(model).generate(question("Здравствуйте"))

    assert answer.content.text == "NAME_9"


async def test_nothing_is_hidden_where_the_company_does_not_ask_for_it():
    model = Parrot()
    asked = question("Мой номер +7 916 123-45-67", private=None)

    await MaskingModel(model).generate(asked)

    assert model.asked is asked


async def test_a_master_who_is_named_in_latin_letters_stays_readable():
    model = Parrot()

    await MaskingModel(model).generate(question("Tomorrow with Anna, please"))

    assert "with Anna" in model.shown
