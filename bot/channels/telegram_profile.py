"""What people see of a bot before they write: its commands and what it is, in each language (Bot API: setMyCommands,
setMyDescription, setMyShortDescription). In groups, which are staff's, it shows staff's commands."""

from __future__ import annotations

import structlog
from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.types import BotCommand, BotCommandScopeAllGroupChats

from db.records import CompanySnapshot
from locales import Translator, languages
from orchestration.messages import Command
from orchestration.staff_words import StaffCommand

log = structlog.get_logger()

_COMMANDS = {
    Command.BOOK: "bot-command-book",
    Command.MY: "bot-command-my",
    Command.PERSON: "bot-command-person",
    Command.LANGUAGE: "bot-command-language",
    Command.HELP: "bot-command-help",
    Command.STOP: "bot-command-stop",
    Command.DELETE_ME: "bot-command-delete-me",
}
_STAFF_COMMANDS = {
    StaffCommand.TODAY: "staff-command-today",
    StaffCommand.BACK: "staff-command-back",
    StaffCommand.PAUSE: "staff-command-pause",
    StaffCommand.RESUME: "staff-command-resume",
    StaffCommand.NOTE: "staff-command-note",
    StaffCommand.NOTES: "staff-command-notes",
    StaffCommand.UNDO: "staff-command-undo",
    StaffCommand.SICK: "staff-command-sick",
}
_DESCRIPTION, _SHORT_DESCRIPTION = 512, 120


async def introduce(bot: Bot, snapshot: CompanySnapshot) -> None:
    """Tell Telegram the bot's commands and descriptions. A refusal is logged: the bot works without them."""
    try:
        await _introduce(bot, snapshot, None)
        for language in sorted(languages()):
            await _introduce(bot, snapshot, language)
    except AiogramError as error:
        log.warning("bot_not_introduced", error=type(error).__name__)


async def _introduce(bot: Bot, snapshot: CompanySnapshot, language: str | None) -> None:
    """Say it in a language; None: what those see whose language is none of ours."""
    texts = Translator.for_language(language, default=snapshot.agent.language)
    company = snapshot.company.name
    commands = [BotCommand(command=command.value, description=texts.text(key)) for command, key in _COMMANDS.items()]
    await bot.set_my_commands(commands, language_code=language)
    staffs = [
        BotCommand(command=command.value, description=texts.text(key)) for command, key in _STAFF_COMMANDS.items()
    ]
    await bot.set_my_commands(staffs, scope=BotCommandScopeAllGroupChats(), language_code=language)
    await bot.set_my_description(
        description=texts.text("bot-description", company=company)[:_DESCRIPTION], language_code=language
    )
    await bot.set_my_short_description(
        short_description=texts.text("bot-short-description", company=company)[:_SHORT_DESCRIPTION],
        language_code=language,
    )
