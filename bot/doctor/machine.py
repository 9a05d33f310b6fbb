"""The settings as a whole, and the disks."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import make_url

from bot.doctor.rows import Row, failed, ok, warn
from bot.settings import Mode, Settings

_GIB = 1024**3
FREE_WARNS, FREE_FAILS = 2 * _GIB, _GIB // 4
"""Bytes. PostgreSQL stops taking messages when its disk is full; it needs room for WAL and vacuum before that."""


def look_at_settings(settings: Settings) -> Sequence[Row]:
    """Return what is odd about settings that can be used."""
    rows = [ok("settings", f"mode {settings.mode.value}")]
    if settings.mode is not Mode.PRODUCTION:
        return rows
    if settings.public_url is None:
        advice = "set AI_ADMIN_PUBLIC_URL, then `ai-admin channel rotate ID` for each channel"
        rows.append(warn("public address", "AI_ADMIN_PUBLIC_URL is not set: no messenger can reach this", advice))
    elif not settings.public_url.startswith("https://"):
        advice = "put TLS in front of the gateway and set an https:// address: messengers take no other"
        rows.append(warn("public address", "AI_ADMIN_PUBLIC_URL is not https://", advice))
    if settings.admin_token is None and settings.metrics_token is None:
        advice = "set AI_ADMIN_METRICS_TOKEN, and give it to Prometheus"
        rows.append(warn("metrics", "neither AI_ADMIN_METRICS_TOKEN nor AI_ADMIN_ADMIN_TOKEN is set", advice))
    return rows


def look_at_disks(settings: Settings, database_url: str | None) -> Sequence[Row]:
    """Return the free room of DATA_DIR, and of the embedded database's folder where that is elsewhere."""
    places = {"disk of DATA_DIR": _nearest(settings.data_dir)}
    socket = make_url(database_url).query.get("host") if database_url and not settings.database_url else None
    if isinstance(socket, str):
        folder = _nearest(Path(socket).parent)
        if folder.stat().st_dev != places["disk of DATA_DIR"].stat().st_dev:
            places["disk of the embedded database"] = folder
    return [judge_room(what, shutil.disk_usage(folder).free) for what, folder in places.items()]


def judge_room(what: str, free: int) -> Row:
    """Judge how many bytes are free."""
    detail = f"{free / _GIB:.1f} GiB free"
    if free < FREE_FAILS:
        return failed(what, detail, "make room now: a full disk takes no message in")
    if free < FREE_WARNS:
        return warn(what, detail, "make room, or give it a larger disk")
    return ok(what, detail)


def _nearest(path: Path) -> Path:
    """Return the folder, or the first above it that is there: the doctor makes none."""
    path = path.absolute()
    while not path.exists():
        path = path.parent
    return path
