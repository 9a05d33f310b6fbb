"""A base of the "Салон красоты" kind: day and time apart, the master in the rows, a client of a composite type.

The names are composed for this file in that kind's manner; no release of such a product was at hand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import ClassVar
from urllib.parse import quote

from sandbox.business import BusinessService
from sandbox.one_c.odata.base import Infobase, Json
from sandbox.one_c.odata.configuration import Configuration, at, calls_of, clock_only, minutes_of
from sandbox.one_c.odata.schema import EntitySet, catalogue, document, register
from sandbox.staff_side import Visit

CLIENT_TYPE = "StandardODATA.Catalog_Клиенты"


class SalonNames(Configuration):
    """Posted; a status cancels; the length is a time in a date; the phone is one field of the card."""

    name = "salon"
    mapping = "beauty-salon"
    services = "Catalog_Номенклатура"
    staff = "Catalog_Сотрудники"
    clients = "Catalog_Клиенты"
    visits = "Document_ПредварительнаяЗапись"
    sets: ClassVar[Sequence[EntitySet]] = (
        catalogue("Номенклатура", {"ЭтоУслуга": "bool", "Продолжительность": "date"}, folders=True),
        catalogue("Сотрудники", {"ВЖурналеЗаписи": "bool"}),
        catalogue("Клиенты", {"Телефон": "string"}),
        register("ЦеныНоменклатуры", {"Номенклатура_Key": "guid"}, {"Цена": "double"}, period=True),
        register("УслугиСотрудников", {"Сотрудник_Key": "guid", "Номенклатура_Key": "guid"}, {}),
        register("ГрафикиСотрудников", {"Сотрудник_Key": "guid", "НачалоРаботы": "date"}, {"КонецРаботы": "date"}),
        document(
            "ПредварительнаяЗапись",
            {
                "ДатаЗаписи": "date",
                "ВремяЗаписи": "date",
                "Продолжительность": "date",
                "Клиент": "ref",
                "Клиент_Type": "type",
                "Состояние": "string",
                "Комментарий": "string",
            },
            parts={"Услуги": {"Номенклатура_Key": "guid", "Сотрудник_Key": "guid", "Цена": "double"}},
            enums={"Состояние": ("Запланирована", "Выполнена", "Отменена")},
        ),
    )
    calls: ClassVar[Mapping[str, tuple[str, str, str]]] = calls_of(
        services, "InformationRegister_ГрафикиСотрудников", clients, visits, quote("Клиент eq cast")[:20]
    )

    def fill(self, base: Infobase, today: date) -> None:
        for master in self.business.masters:
            base.put(self.staff, Description=master.name, ВЖурналеЗаписи=master.bookable, DeletionMark=master.fired)
        for service in self.business.services:
            key = base.put(
                self.services,
                Description=service.title,
                ЭтоУслуга=service.online,
                Продолжительность=clock_only(timedelta(minutes=service.minutes)),
            )
            base.put(
                "InformationRegister_ЦеныНоменклатуры",
                Period="2026-01-01T00:00:00",
                Номенклатура_Key=key,
                Цена=service.low,
            )
            for name in service.masters:
                master_key = self.key_of(base, self.staff, name)
                base.put("InformationRegister_УслугиСотрудников", Сотрудник_Key=master_key, Номенклатура_Key=key)
        for row in self.working(base):
            for day, opens, closes in self.shifts(today):
                base.put(
                    "InformationRegister_ГрафикиСотрудников",
                    Сотрудник_Key=row["Ref_Key"],
                    НачалоРаботы=at(day, opens),
                    КонецРаботы=at(day, closes),
                )

    def add_client(self, base: Infobase, name: str, phone: str) -> str:
        return base.put(self.clients, Description=name, Телефон=phone)

    def phone_of(self, card: Json) -> str:
        return str(card["Телефон"])

    def book(
        self, base: Infobase, service: BusinessService, *, master: str, client: str, starts: datetime, minutes: int
    ) -> str:
        key = self.key_of(base, self.services, service.title)
        return base.put(
            self.visits,
            Date=base.now().isoformat(timespec="seconds"),
            ДатаЗаписи=f"{starts.date().isoformat()}T00:00:00",
            ВремяЗаписи=clock_only(starts.time()),
            Продолжительность=clock_only(timedelta(minutes=minutes)),
            Клиент=client,
            Клиент_Type=CLIENT_TYPE,
            Состояние="Запланирована",
            Posted=True,
            Услуги=[{"Номенклатура_Key": key, "Сотрудник_Key": master, "Цена": service.low}],
        )

    def move(self, base: Infobase, key: str, starts: datetime) -> None:
        day = f"{starts.date().isoformat()}T00:00:00"
        base.change(self.visits, key, ДатаЗаписи=day, ВремяЗаписи=clock_only(starts.time()))

    def cancel(self, base: Infobase, key: str) -> None:
        base.change(self.visits, key, Состояние="Отменена")

    def visit_of(self, base: Infobase, row: Json) -> Visit:
        client = base.rows[self.clients].get((row["Клиент"],))
        starts = datetime.fromisoformat(row["ДатаЗаписи"])
        return Visit(
            id=row["Ref_Key"],
            starts=starts + timedelta(minutes=minutes_of(row["ВремяЗаписи"])),
            minutes=minutes_of(row["Продолжительность"]),
            master=next((self.title_of(base, self.staff, one["Сотрудник_Key"]) for one in row["Услуги"]), ""),
            services=tuple(self.title_of(base, self.services, one["Номенклатура_Key"]) for one in row["Услуги"]),
            client=client["Description"] if client else "",
            phone=str(client["Телефон"]) if client else "",
            comment=row["Комментарий"],
            cancelled=row["DeletionMark"] or row["Состояние"] == "Отменена",
        )
