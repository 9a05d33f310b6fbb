"""Businesses for the demo and for tests; every name and number is invented."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

from sandbox.business import Business, BusinessMaster, BusinessService
from sandbox.yclients.salon import Salon, salon_of

ELITA_ID = 4564
BORODA_ID = 7801


def elita_business(*, time_zone: str = "Europe/Moscow") -> Business:
    """Return the beauty salon of the demo, as its staff keep it in their CRM."""
    anna, maria, olga = "Анна Смирнова", "Мария Иванова", "Ольга Петрова"
    weekday, weekend = (time(9), time(21)), (time(10), time(20))
    return Business(
        title="Салон красоты Элита",
        time_zone=time_zone,
        address="Москва, ул. Тверская, 15",
        services=(
            BusinessService(title="Стрижка женская", low=2500, high=2500, minutes=60, masters=(anna, maria)),
            BusinessService(title="Окрашивание", low=8000, high=8000, minutes=180, masters=(anna, maria)),
            BusinessService(title="Маникюр", low=1800, high=2200, minutes=90, masters=(olga,)),
            BusinessService(
                title="Свадебная причёска", low=6000, high=6000, minutes=120, masters=(anna,), prepaid=True
            ),
            BusinessService(
                title="Наращивание волос", low=30000, high=45000, minutes=240, masters=(anna,), online=False
            ),
        ),
        masters=(
            BusinessMaster(name=anna, specialization="Парикмахер-стилист"),
            BusinessMaster(name=maria, specialization="Парикмахер"),
            BusinessMaster(name=olga, specialization="Мастер маникюра"),
            BusinessMaster(name="Лист ожидания", bookable=False),
            BusinessMaster(name="Ирина Козлова", specialization="Парикмахер", fired=True),
        ),
        hours={**dict.fromkeys(range(5), weekday), **dict.fromkeys((5, 6), weekend)},
    )


def boroda_business() -> Business:
    """Return a second, small company in another zone, for isolation."""
    ivan = "Иван Кузнецов"
    return Business(
        title="Барбершоп Борода",
        time_zone="Asia/Yekaterinburg",
        address="Екатеринбург, ул. Малышева, 1",
        services=(
            BusinessService(title="Стрижка мужская", low=1700, high=1700, minutes=45, masters=(ivan,)),
            BusinessService(title="Моделирование бороды", low=900, high=900, minutes=30, masters=(ivan,)),
        ),
        masters=(BusinessMaster(name=ivan, specialization="Барбер"),),
        hours=dict.fromkeys(range(7), (time(10), time(22))),
    )


def clinic_business() -> Business:
    """Return a dental clinic."""
    timur, leyla, oleg = "Тимур Галиев", "Лейла Ахметова", "Олег Зайцев"
    everyone = (timur, leyla, oleg)
    return Business(
        title="Клиника Забота",
        time_zone="Europe/Moscow",
        address="Казань, ул. Баумана, 40",
        services=(
            BusinessService(title="Консультация стоматолога", low=800, high=800, minutes=30, masters=everyone),
            BusinessService(title="Профессиональная чистка зубов", low=4500, high=4500, minutes=60, masters=(leyla,)),
            BusinessService(title="Лечение кариеса", low=4000, high=7000, minutes=60, masters=(timur, leyla)),
            BusinessService(title="Отбеливание", low=15000, high=15000, minutes=90, masters=(leyla,)),
            BusinessService(title="Имплантация", low=35000, high=60000, minutes=120, masters=(oleg,), online=False),
        ),
        masters=(
            BusinessMaster(name=timur, specialization="Стоматолог-терапевт"),
            BusinessMaster(name=leyla, specialization="Детский стоматолог, гигиенист"),
            BusinessMaster(name=oleg, specialization="Хирург-имплантолог"),
        ),
        hours={**dict.fromkeys(range(5), (time(8), time(20))), 5: (time(9), time(15))},
    )


def autoservice_business() -> Business:
    """Return a car service."""
    denis, pavel, marat = "Денис Волков", "Павел Орехов", "Марат Ибрагимов"
    return Business(
        title="Автосервис Гараж",
        time_zone="Asia/Yekaterinburg",
        address="Екатеринбург, ул. Малышева, 101",
        services=(
            BusinessService(title="Замена масла", low=1500, high=1500, minutes=30, masters=(denis, pavel)),
            BusinessService(title="Компьютерная диагностика", low=2000, high=2000, minutes=60, masters=(marat,)),
            BusinessService(title="Шиномонтаж", low=2400, high=3600, minutes=60, masters=(pavel,)),
            BusinessService(title="Замена тормозных колодок", low=2500, high=2500, minutes=90, masters=(denis, pavel)),
            BusinessService(title="Кузовной ремонт", low=5000, high=50000, minutes=240, masters=(marat,), online=False),
        ),
        masters=(
            BusinessMaster(name=denis, specialization="Автомеханик"),
            BusinessMaster(name=pavel, specialization="Шиномонтаж и ходовая"),
            BusinessMaster(name=marat, specialization="Диагност"),
        ),
        hours=dict.fromkeys(range(6), (time(9), time(20))),
    )


def elita_salon() -> Salon:
    """Return the demo's salon as YCLIENTS keeps it, with its rules for changes by clients."""
    salon = salon_of(elita_business(), id_=ELITA_ID, first_service=501, first_master=101)
    return replace(salon, lead_seconds=1800, change_delay_seconds=3600, delete_delay_seconds=3600)


def boroda_salon() -> Salon:
    return salon_of(boroda_business(), id_=BORODA_ID, first_service=701, first_master=201)
