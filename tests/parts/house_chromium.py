"""Headless Chromium for the tests of pages."""

from __future__ import annotations

import os
import shutil

import pytest

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
)
MUST_RUN = os.environ.get("AI_ADMIN_PAGE_TEST") == "required"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
IN_CHROMIUM = [
    pytest.mark.page,
    pytest.mark.skipif(CHROMIUM is None and not MUST_RUN, reason="no Chromium here: the page was NOT tested"),
    # Playwright's own pipes to its driver are closed by the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
