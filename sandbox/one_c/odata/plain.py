"""A small configuration written for one salon: everything in its own plain object. No product's names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import ClassVar
from urllib.parse import quote

from sandbox.business import BusinessService
from sandbox.one_c.odata.base import Infobase, Json
from sandbox.one_c.odata.configuration import Configuration, calls_of, clock_only, contact
from sandbox.one_c.odata.schema import CONTACTS, EntitySet, catalogue, document, register
from sandbox.staff_side import Visit


class Plain(Configuration):
    """A status cancels; nothing is posted; our id has an attribute of its own."""

    name = "plain"
    mapping = "example"
    services = "Catalog_Услуги"
    staff = "Catalog_Мастера"
    clients = "Catalog_Клиенты"
    visits = "Document_ЗаписьКлиента"
    sets: ClassVar[Sequence[EntitySet]] = (
        catalogue(
            "Услуги",
            {"Длительность": "int", "ОнлайнЗапись": "bool", "Предоплата": "bool", "Описание": "string"},
            folders=True,
        ),
        catalogue("Мастера", {"Специализация": "string", "ВедетПрием": "bool"}),
        catalogue("Клиенты", {"Комментарий": "string"}, parts={"КонтактнаяИнформация": CONTACTS}),
        register("ЦеныУслуг", {"Услуга_Key": "guid"}, {"Цена": "double", "ЦенаДо": "double"}, period=True),
        register("УслугиМастеров", {"Мастер_Key": "guid", "Услуга_Key": "guid"}, {"Длительность": "int"}),
        register(
            "ГрафикРаботы",
            {"Мастер_Key": "guid", "Дата": "date"},
            {"ВремяНачала": "date", "ВремяОкончания": "date"},
        ),
        document(
            "ЗаписьКлиента",
            {
                "Начало": "date",
                "Длительность": "int",
                "Мастер_Key": "guid",
                "Клиент_Key": "guid",
                "Статус": "string",
                "Комментарий": "string",
                "ВнешнийИдентификатор": "string",
                "ДатаИзменения": "date",
            },
            parts={"Услуги": {"Услуга_Key": "guid", "Количество": "int", "Цена": "double", "Сумма": "double"}},
            enums={"Статус": ("Записан", "Пришел", "НеПришел", "Отменен")},
        ),
    )
    calls: ClassVar[Mapping[str, tuple[str, str, str]]] = calls_of(
        services, "InformationRegister_ГрафикРаботы", clients, visits, quote("Клиент_Key")
    )

    def fill(self, base: Infobase, today: date) -> None:
        for master in self.business.masters:
            base.put(
                self.staff,
                Description=master.name,
                Специализация=master.specialization,
                ВедетПрием=master.bookable,
                DeletionMark=master.fired,
            )
        for service in self.business.services:
            key = self._add_service(base, service)
            for period, low in (("2020-01-01T00:00:00", service.low - 100), ("2026-01-01T00:00:00", service.low)):
                price = {"Цена": low, "ЦенаДо": service.high if service.high > service.low else 0}
                base.put("InformationRegister_ЦеныУслуг", Period=period, Услуга_Key=key, **price)
            for name in service.masters:
                master_key = self.key_of(base, self.staff, name)
                base.put("InformationRegister_УслугиМастеров", Мастер_Key=master_key, Услуга_Key=key)
        for row in self.working(base):
            for day, opens, closes in self.shifts(today):
                hours = {"ВремяНачала": clock_only(opens), "ВремяОкончания": clock_only(closes)}
                base.put(
                    "InformationRegister_ГрафикРаботы",
                    Мастер_Key=row["Ref_Key"],
                    Дата=f"{day.isoformat()}T00:00:00",
                    **hours,
                )

    def add_client(self, base: Infobase, name: str, phone: str) -> str:
        return base.put(self.clients, Description=name, КонтактнаяИнформация=[contact(phone)])

    def phone_of(self, card: Json) -> str:
        return str(next((row["Представление"] for row in card["КонтактнаяИнформация"]), ""))

    def book(
        self, base: Infobase, service: BusinessService, *, master: str, client: str, starts: datetime, minutes: int
    ) -> str:
        key = self.key_of(base, self.services, service.title)
        row = {"Услуга_Key": key, "Количество": 1, "Цена": service.low, "Сумма": service.low}
        return base.put(
            self.visits,
            Date=base.now().isoformat(timespec="seconds"),
            Начало=starts.isoformat(),
            Длительность=minutes,
            Мастер_Key=master,
            Клиент_Key=client,
            Статус="Записан",
            Услуги=[row],
            ДатаИзменения=base.now().isoformat(timespec="seconds"),
        )

    def move(self, base: Infobase, key: str, starts: datetime) -> None:
        base.change(self.visits, key, Начало=starts.isoformat(), ДатаИзменения=self._now(base))

    def cancel(self, base: Infobase, key: str) -> None:
        base.change(self.visits, key, Статус="Отменен", ДатаИзменения=self._now(base))

    def written(self, base: Infobase, row: Json) -> None:
        if "ДатаИзменения" in row:
            row["ДатаИзменения"] = self._now(base)

    def visit_of(self, base: Infobase, row: Json) -> Visit:
        client = base.rows[self.clients].get((row["Клиент_Key"],))
        return Visit(
            id=row["Ref_Key"],
            starts=datetime.fromisoformat(row["Начало"]),
            minutes=int(row["Длительность"]),
            master=self.title_of(base, self.staff, row["Мастер_Key"]),
            services=tuple(self.title_of(base, self.services, one["Услуга_Key"]) for one in row["Услуги"]),
            client=client["Description"] if client else "",
            phone=self.phone_of(client) if client else "",
            comment=row["Комментарий"],
            external_id=row["ВнешнийИдентификатор"],
            cancelled=row["DeletionMark"] or row["Статус"] == "Отменен",
        )

    def _add_service(self, base: Infobase, service: BusinessService) -> str:
        folder = base.find(self.services, Description=service.category, IsFolder=True)
        parent = folder["Ref_Key"] if folder else base.put(self.services, Description=service.category, IsFolder=True)
        return base.put(
            self.services,
            Description=service.title,
            Parent_Key=parent,
            Длительность=service.minutes,
            ОнлайнЗапись=service.online,
            Предоплата=service.prepaid,
        )

    @staticmethod
    def _now(base: Infobase) -> str:
        return base.now().isoformat(timespec="seconds")
