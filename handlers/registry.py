"""The gateway's half of every channel that has webhooks: the only list of them. No SDK is imported here."""

from __future__ import annotations

from collections.abc import Mapping

from db.records import ChannelType
from handlers.base import ChannelIntake
from handlers.telegram.intake import TelegramIntake
from handlers.whatsapp.intake import WhatsAppIntake

INTAKES: Mapping[ChannelType, ChannelIntake] = {
    ChannelType.TELEGRAM: TelegramIntake(),
    ChannelType.WHATSAPP: WhatsAppIntake(),
}
