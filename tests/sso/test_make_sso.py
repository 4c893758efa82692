"""`make sso` is green only when a browser signed in."""

import pytest

from tests.sso.test_browser import needed_chromium


def test_without_chromium_the_walk_in_the_browser_fails_and_says_what_is_missing() -> None:
    with pytest.raises(pytest.fail.Exception, match="install Chromium"):
        needed_chromium(None)


def test_the_browser_that_was_found_is_taken() -> None:
    assert needed_chromium("/usr/bin/chromium") == "/usr/bin/chromium"
