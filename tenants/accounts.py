"""Accounts: one row for each person over all organisations, made with the first membership, deleted after the last.

Organisations change their members one after the other, each for itself; what two of them do with one account at the
same moment is put in order by its row. Call in the shared schema, inside a transaction.
"""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Q

from tenants.models import User


def account_of(email: str, *, using: str = "default") -> User:
    """The account of an address, a new one where there is none. Nobody deletes it until the transaction ends."""
    while True:
        found = User.objects.using(using).select_for_update(no_key=True).filter(email=email).first()
        if found is not None:
            return found
        try:
            with transaction.atomic(using):
                return User.objects.db_manager(using).create_user(email)
        except IntegrityError:  # another organisation made it a moment ago, and may be deleting it
            continue


def hold_both(email: str, user_id: UUID) -> None:
    """Hold two accounts, where they are there, in one order: two organisations may pass members from each to the other."""
    which = Q(email=email) | Q(pk=user_id)
    list(User.objects.filter(which).order_by("pk").select_for_update())


def hold(user_id: UUID) -> None:
    """Let no other organisation begin a membership of the account until the transaction ends."""
    User.objects.select_for_update().filter(pk=user_id).first()
