"""Agent settings and hours to JSON columns and back: pure functions, tolerant of fields that a newer version wrote."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta
from typing import Any

from db.catalogue import (
    Booking,
    CatalogueProduct,
    CatalogueService,
    Hours,
    Interval,
    PriceRange,
    Question,
    ServiceOverride,
)

Json = dict[str, Any]


def hours_to_json(hours: Hours | None) -> Json | None:
    if hours is None:
        return None
    return {
        "weekly": {str(day): _intervals_to_json(intervals) for day, intervals in hours.weekly.items()},
        "exceptions": {day.isoformat(): _intervals_to_json(times) for day, times in hours.exceptions.items()},
    }


def hours_from_json(raw: Mapping[str, Any] | None) -> Hours | None:
    if raw is None:
        return None
    return Hours(
        weekly={int(day): _intervals_from_json(times) for day, times in raw.get("weekly", {}).items()},
        exceptions={
            date.fromisoformat(day): _intervals_from_json(times) for day, times in raw.get("exceptions", {}).items()
        },
    )


def service_to_json(service: CatalogueService) -> Json:
    return _dropping_absent(
        {
            "name": service.name,
            "crm_id": service.crm_id,
            "description": service.description,
            "price": _price_to_json(service.price),
            "duration_s": _seconds(service.duration),
            "booking": service.booking.value,
            "link": service.link,
            "ask_before": list(service.ask_before),
            "overrides": [
                _dropping_absent(
                    {
                        "branch": override.branch,
                        "master": override.master,
                        "price": _price_to_json(override.price),
                        "duration_s": _seconds(override.duration),
                    }
                )
                for override in service.overrides
            ],
        }
    )


def service_from_json(raw: Mapping[str, Any]) -> CatalogueService:
    return CatalogueService(
        name=raw["name"],
        crm_id=raw.get("crm_id"),
        description=raw.get("description"),
        price=_price_from_json(raw.get("price")),
        duration=_duration(raw.get("duration_s")),
        booking=Booking(raw.get("booking", Booking.AGENT)),
        link=raw.get("link"),
        ask_before=tuple(raw.get("ask_before", ())),
        overrides=tuple(
            ServiceOverride(
                branch=override.get("branch"),
                master=override.get("master"),
                price=_price_from_json(override.get("price")),
                duration=_duration(override.get("duration_s")),
            )
            for override in raw.get("overrides", ())
        ),
    )


def product_to_json(product: CatalogueProduct) -> Json:
    return _dropping_absent(
        {"name": product.name, "description": product.description, "price": _price_to_json(product.price)}
    )


def product_from_json(raw: Mapping[str, Any]) -> CatalogueProduct:
    return CatalogueProduct(
        name=raw["name"], description=raw.get("description"), price=_price_from_json(raw.get("price"))
    )


def question_to_json(question: Question) -> Json:
    return {"question": question.question, "answer": question.answer}


def question_from_json(raw: Mapping[str, Any]) -> Question:
    return Question(question=raw["question"], answer=raw["answer"])


def _intervals_to_json(intervals: tuple[Interval, ...]) -> list[list[str]]:
    return [[interval.opens.isoformat("minutes"), interval.closes.isoformat("minutes")] for interval in intervals]


def _intervals_from_json(raw: list[list[str]]) -> tuple[Interval, ...]:
    return tuple(Interval(opens=time.fromisoformat(opens), closes=time.fromisoformat(closes)) for opens, closes in raw)


def _price_to_json(price: PriceRange | None) -> Json | None:
    return None if price is None else _dropping_absent({"low": price.low, "high": price.high})


def _price_from_json(raw: Mapping[str, Any] | None) -> PriceRange | None:
    return None if raw is None else PriceRange(low=raw["low"], high=raw.get("high"))


def _seconds(duration: timedelta | None) -> int | None:
    return None if duration is None else round(duration.total_seconds())


def _duration(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _dropping_absent(raw: Json) -> Json:
    return {name: value for name, value in raw.items() if value is not None and value != []}
