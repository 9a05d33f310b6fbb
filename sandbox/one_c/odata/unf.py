"""A base in the names of "1С:Управление нашей фирмой": an appointment is a work order (order of the kind ЗаказНаряд).

Names as public integrations use them (Номенклатура, ЦеныНоменклатуры, Контрагенты, Сотрудники, НормаВремени); those of
the order's own fields are taken from memory of the configuration and differ by release.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import ClassVar
from urllib.parse import quote

from sandbox.business import BusinessService
from sandbox.one_c.odata.base import Infobase, Json
from sandbox.one_c.odata.configuration import Configuration, calls_of, contact
from sandbox.one_c.odata.schema import CONTACTS, EntitySet, catalogue, document, register
from sandbox.staff_side import Visit

PRICE_KIND = "0a1b2c3d-0000-11e9-8000-00155d000001"


class Unf(Configuration):
    """Posted; cancelled by unposting and the deletion mark; an end instead of a length; no attribute for our id."""

    name = "unf"
    mapping = "unf"
    services = "Catalog_Номенклатура"
    staff = "Catalog_Сотрудники"
    clients = "Catalog_Контрагенты"
    visits = "Document_ЗаказПокупателя"
    sets: ClassVar[Sequence[EntitySet]] = (
        catalogue(
            "Номенклатура",
            {"ТипНоменклатуры": "string", "НормаВремени": "double"},
            folders=True,
            enums={"ТипНоменклатуры": ("Запас", "Услуга", "Работа")},
        ),
        catalogue("Сотрудники", {}, folders=True),
        catalogue("Контрагенты", {"ВидКонтрагента": "string"}, folders=True, parts={"КонтактнаяИнформация": CONTACTS}),
        register(
            "ЦеныНоменклатуры", {"ВидЦен_Key": "guid", "Номенклатура_Key": "guid"}, {"Цена": "double"}, period=True
        ),
        document(
            "ЗаказПокупателя",
            {
                "ВидОперации": "string",
                "Старт": "date",
                "Финиш": "date",
                "Контрагент_Key": "guid",
                "Ответственный_Key": "guid",
                "Комментарий": "string",
            },
            parts={"Работы": {"Номенклатура_Key": "guid", "Количество": "double", "Цена": "double", "Сумма": "double"}},
            enums={"ВидОперации": ("ЗаказНаПродажу", "ЗаказНаряд")},
        ),
    )
    calls: ClassVar[Mapping[str, tuple[str, str, str]]] = calls_of(
        services, visits, clients, visits, quote("Контрагент_Key")
    )

    def fill(self, base: Infobase, today: date) -> None:
        for master in self.business.masters:
            if master.bookable:
                base.put(self.staff, Description=master.name, DeletionMark=master.fired)
        for service in self.business.services:
            key = base.put(
                self.services,
                Description=service.title,
                ТипНоменклатуры="Работа" if service.online else "Услуга",
                НормаВремени=service.minutes / 60,
            )
            base.put(
                "InformationRegister_ЦеныНоменклатуры",
                Period="2026-01-01T00:00:00",
                ВидЦен_Key=PRICE_KIND,
                Номенклатура_Key=key,
                Цена=service.low,
            )

    def add_client(self, base: Infobase, name: str, phone: str) -> str:
        return base.put(self.clients, Description=name, КонтактнаяИнформация=[contact(phone)])

    def phone_of(self, card: Json) -> str:
        return str(next((row["Представление"] for row in card["КонтактнаяИнформация"]), ""))

    def book(
        self, base: Infobase, service: BusinessService, *, master: str, client: str, starts: datetime, minutes: int
    ) -> str:
        key = self.key_of(base, self.services, service.title)
        return base.put(
            self.visits,
            Date=base.now().isoformat(timespec="seconds"),
            ВидОперации="ЗаказНаряд",
            Старт=starts.isoformat(),
            Финиш=(starts + timedelta(minutes=minutes)).isoformat(),
            Контрагент_Key=client,
            Ответственный_Key=master,
            Posted=True,
            Работы=[{"Номенклатура_Key": key, "Количество": 1, "Цена": service.low, "Сумма": service.low}],
        )

    def move(self, base: Infobase, key: str, starts: datetime) -> None:
        row = base.rows[self.visits][(key,)]
        length = datetime.fromisoformat(row["Финиш"]) - datetime.fromisoformat(row["Старт"])
        base.change(self.visits, key, Старт=starts.isoformat(), Финиш=(starts + length).isoformat())

    def cancel(self, base: Infobase, key: str) -> None:
        base.change(self.visits, key, Posted=False, DeletionMark=True)

    def visit_of(self, base: Infobase, row: Json) -> Visit:
        client = base.rows[self.clients].get((row["Контрагент_Key"],))
        starts = datetime.fromisoformat(row["Старт"])
        return Visit(
            id=row["Ref_Key"],
            starts=starts,
            minutes=int((datetime.fromisoformat(row["Финиш"]) - starts).total_seconds() // 60),
            master=self.title_of(base, self.staff, row["Ответственный_Key"]),
            services=tuple(self.title_of(base, self.services, one["Номенклатура_Key"]) for one in row["Работы"]),
            client=client["Description"] if client else "",
            phone=self.phone_of(client) if client else "",
            comment=row["Комментарий"],
            cancelled=row["DeletionMark"],
        )
