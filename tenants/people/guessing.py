"""Passwords that are guessed soon: common ones, and what people make of words, names, keys in a row, dates and repeats."""

import re
from functools import cache
from typing import Any

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from zxcvbn.matching import RANKED_DICTIONARIES, build_ranked_dict, omnimatch
from zxcvbn.scoring import most_guessable_match_sequence

from tenants.models import User
from tenants.people import common_passwords, context_words

FEWEST_GUESSES = (
    10**10
)  # where zxcvbn begins to call a password safe even from somebody who has its slow hash
READ_CHARACTERS = (
    24  # its cost doubles with every few signs that stand for letters: 72 of them take ten seconds
)

_ADVICE = "Use a sentence of four or five words that have nothing to do with each other."
_REASONS = {
    "spatial": "it follows keys that lie next to each other",
    "repeat": "it repeats itself",
    "sequence": "it counts on, like abc or 6543",
    "regex": "it is made of a year",
    "date": "it is made of a date",
    "passwords": "it is a common password, or made of one",
    "user_inputs": "it is made of your address or of names of the product and of your organisation",
}
_WORDS = "it is made of a few common words or names"


class Guessable:
    """A validator of AUTH_PASSWORD_VALIDATORS: refuses common passwords, and what takes fewer than FEWEST_GUESSES guesses."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raises ValidationError. Only the beginning of a long password is read: what is added makes it no weaker."""
        if not password:
            return  # zxcvbn cannot rate nothing; the validator of the length refuses it
        dictionaries = {**_dictionaries(), "user_inputs": build_ranked_dict(_names(user))}
        read = password[:READ_CHARACTERS]
        found = most_guessable_match_sequence(read, omnimatch(read, dictionaries))
        if found["guesses"] < FEWEST_GUESSES:
            raise _easy(_reason(found["sequence"]))
        if common_passwords.is_common(password):  # whatever the estimate thinks of it
            raise _easy(_REASONS["passwords"])

    def get_help_text(self) -> str:
        return f"Not easy to guess. {_ADVICE}"


@cache
def _dictionaries() -> dict[str, dict[str, int]]:
    """The library's lists and Django's, which has other long passwords. `zxcvbn()` itself would keep one person's names for the next."""
    common = build_ranked_dict(sorted(CommonPasswordValidator().passwords))
    return {**RANKED_DICTIONARIES, "common": common}


def _names(user: User | None) -> list[str]:
    address = user.email.casefold() if user else ""
    return [*context_words.words(), *(part for part in (address, *re.split(r"[\W_]+", address)) if part)]


def _easy(reason: str) -> ValidationError:
    return ValidationError(f"The password is easy to guess: {reason}. {_ADVICE}", code="password_guessable")


def _reason(sequence: list[dict[str, Any]]) -> str:
    """Why, by the longest part that is no arbitrary text."""
    parts = [part for part in sequence if part["pattern"] != "bruteforce"]
    if not parts:
        return "it is too short"
    longest = max(parts, key=lambda part: len(part["token"]))
    kind = longest["dictionary_name"] if longest["pattern"] == "dictionary" else longest["pattern"]
    return _REASONS.get("passwords" if kind == "common" else kind, _WORDS)
