"""Debian's Chromium, driven by Playwright, for tests of what a person sees."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

FLAGS = (
    *"--headless --no-sandbox --disable-gpu --disable-quic --no-first-run".split(),
    *"--disable-background-networking --disable-component-update --disable-sync".split(),
)
INSTALL = 'pip install -e ".[test]"'


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser; a skip, or a failure where everything is demanded, where Chromium is not installed."""
    from playwright.sync_api import sync_playwright

    program = shutil.which("chromium")
    if program is None:
        demanded = os.environ.get("METRIC_LEARNING_SANDBOX_DEMAND_ALL")
        (pytest.fail if demanded else pytest.skip)("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()
