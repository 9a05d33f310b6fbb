"""Salons for the demo and for tests; every name and number is invented."""

from __future__ import annotations

from datetime import time

from sandbox.yclients.salon import Master, Salon, Service

ELITA_ID = 4564
BORODA_ID = 7801


def elita_salon() -> Salon:
    """Return the beauty salon of the demo, as its staff keep it in YCLIENTS."""
    anna, maria, olga = 101, 102, 103
    weekday, weekend = (time(9), time(21)), (time(10), time(20))
    return Salon(
        id=ELITA_ID,
        title="Салон красоты Элита",
        time_zone="Europe/Moscow",
        address="Москва, ул. Тверская, 15",
        services=(
            Service(
                id=501,
                title="Стрижка женская",
                price_min=2500,
                price_max=2500,
                seconds=3600,
                staff={anna: None, maria: None},
            ),
            Service(
                id=502,
                title="Окрашивание",
                price_min=8000,
                price_max=8000,
                seconds=10800,
                staff={anna: None, maria: None},
            ),
            Service(id=503, title="Маникюр", price_min=1800, price_max=2200, seconds=5400, staff={olga: None}),
            Service(
                id=504,
                title="Свадебная причёска",
                price_min=6000,
                price_max=6000,
                seconds=7200,
                staff={anna: None},
                prepaid="required",
            ),
            Service(
                id=505,
                title="Наращивание волос",
                price_min=30000,
                price_max=45000,
                seconds=14400,
                staff={anna: None},
                online=False,
            ),
        ),
        masters=(
            Master(id=anna, name="Анна Смирнова", specialization="Парикмахер-стилист"),
            Master(id=maria, name="Мария Иванова", specialization="Парикмахер"),
            Master(id=olga, name="Ольга Петрова", specialization="Мастер маникюра"),
            Master(id=104, name="Лист ожидания", bookable=False),
            Master(id=105, name="Ирина Козлова", specialization="Парикмахер", fired=True),
        ),
        hours={**dict.fromkeys(range(5), weekday), **dict.fromkeys((5, 6), weekend)},
        lead_seconds=1800,
        change_delay_seconds=3600,
        delete_delay_seconds=3600,
    )


def boroda_salon() -> Salon:
    """Return a second, small company in another zone, for isolation."""
    ivan = 201
    return Salon(
        id=BORODA_ID,
        title="Барбершоп Борода",
        time_zone="Asia/Yekaterinburg",
        address="Екатеринбург, ул. Малышева, 1",
        services=(
            Service(id=701, title="Стрижка мужская", price_min=1700, price_max=1700, seconds=2700, staff={ivan: None}),
            Service(
                id=702, title="Моделирование бороды", price_min=900, price_max=900, seconds=1800, staff={ivan: None}
            ),
        ),
        masters=(Master(id=ivan, name="Иван Кузнецов", specialization="Барбер"),),
        hours=dict.fromkeys(range(7), (time(10), time(22))),
    )
