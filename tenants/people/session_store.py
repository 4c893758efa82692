"""Django's session engine of this platform: rows that know their person, so that sessions can be shown and ended."""

import re
from datetime import UTC, datetime
from typing import Any

from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from tenants.people.models import Session

_KEY = re.compile(r"[a-z0-9]{32}")  # as Django makes them
VISITOR = "visitor"  # {"at": seconds, "address": text, "device": text}, noted at sign-in


class SessionStore(SessionBase):
    """Rows of the organisation's schema. Deleting a row ends the session in every process at once."""

    def _validate_session_key(self, key: str | None) -> bool:
        """Django's is content with eight characters; a cookie may hold some that PostgreSQL takes in no text, such as NUL."""
        return key is not None and _KEY.fullmatch(key) is not None

    def load(self) -> dict[str, Any]:
        row = Session.objects.filter(session_key=self.session_key, expire_date__gt=timezone.now()).first()
        if row is None:
            self._session_key = None
            return {}
        self.row = row
        data: dict[str, Any] = self.decode(row.session_data)
        return data

    def exists(self, session_key: str) -> bool:
        return Session.objects.filter(session_key=session_key).exists()

    def create(self) -> None:
        while True:
            self._session_key = self._get_new_session_key()  # type: ignore[attr-defined]  # of SessionBase
            try:
                self.save(must_create=True)
            except CreateError:
                continue
            self.modified = True
            return

    def save(self, must_create: bool = False) -> None:
        if self.session_key is None:
            self.create()
            return
        data = self._get_session(no_load=must_create)  # type: ignore[attr-defined]  # of SessionBase
        values = {
            "session_data": self.encode(data),
            "expire_date": self.get_expiry_date(),
            "user_id": data.get("_auth_user_id"),
            **_visitor(data.get(VISITOR)),
        }
        if not must_create:
            if not Session.objects.filter(session_key=self.session_key).update(**values):
                raise UpdateError
            return
        try:
            with transaction.atomic():
                self.row = Session.objects.create(session_key=self.session_key, **values)
        except IntegrityError:
            raise CreateError from None

    def cycle_key(self) -> None:
        """Give the session another key, in the row that it has: Django would make a new row, also of a session that has ended.

        Raises: SessionInterrupted when it was ended, or was given another key, since it was read.
        """
        data = self._get_session()  # type: ignore[attr-defined]  # of SessionBase; forgets a key without a row
        before = self.session_key
        if before is None:
            self.create()
        else:
            after = self._get_new_session_key()  # type: ignore[attr-defined]  # of SessionBase
            if not Session.objects.filter(session_key=before).update(session_key=after):
                raise SessionInterrupted("The session has just ended, or was confirmed elsewhere.")
            self._session_key = after
        self._session_cache = data
        self.modified = True

    def delete(self, session_key: str | None = None) -> None:
        """By its id where the row was read: another request may have given the session a new key since."""
        row = getattr(self, "row", None)
        if row is not None and session_key in (None, row.session_key):
            end(Session.objects.filter(id=row.id))
        else:
            end(Session.objects.filter(session_key=session_key or self.session_key))

    @classmethod
    def clear_expired(cls) -> None:
        Session.objects.filter(expire_date__lt=timezone.now()).delete()


def end(sessions: "QuerySet[Session]") -> int:
    """Delete them in one statement; how many. Django's `delete` reads their keys first, and a session that is given another
    one in between would live on.
    """
    return sessions._raw_delete(sessions.db)


def _visitor(noted: dict[str, Any] | None) -> dict[str, Any]:
    if not noted:
        return {}
    return {
        "signed_in_at": datetime.fromtimestamp(noted["at"], UTC),
        "address": noted["address"],
        "device": noted["device"],
    }
