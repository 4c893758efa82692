"""Leaving an organisation, and what is deleted of a person who is in none any more."""

from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.db import models, transaction

from core.tenancy import shared_context
from tenants import accounts
from tenants.models import ApiKey, Membership, User
from tenants.oauth.models import Grant


def forget_member(membership: Membership) -> None:
    """Delete what this organisation keeps about a person beside what they made: part of ending a membership.

    Grants are held before anything under them is touched, as where tokens are made. The person's own record goes too
    when this was the last organisation. The audit trail stays.
    """
    with transaction.atomic():
        list(Grant.objects.filter(membership_id=membership.pk).order_by("pk").select_for_update())
        for model in apps.get_models():  # what directory and identity provider said, links, grants
            if _is_in_schema(model) and any(field.name == "membership_id" for field in model._meta.fields):
                model._default_manager.filter(membership_id=membership.pk).delete()
        forget_person(membership.user_id)


def forget_person(user_id: UUID) -> None:
    """Delete what is kept about somebody who is no member here any more, and all of it when they are none elsewhere."""
    with transaction.atomic():
        _forget_in_schema(user_id)
        with shared_context():
            accounts.hold(user_id)
            if not Membership.objects.filter(user_id=user_id).exists():
                _forget_everywhere(user_id)


def _forget_in_schema(user_id: UUID) -> None:
    """Rows of this organisation's schema that point to the person, such as factors."""
    for relation in User._meta.related_objects:
        model, field = relation.related_model, relation.field
        if not _is_in_schema(model):
            continue
        rows = model._default_manager.filter(**{field.name: user_id})
        if getattr(relation, "on_delete", models.CASCADE) is models.SET_NULL:
            rows.update(**{field.name: None})
        else:
            rows.delete()


def _is_in_schema(model: type[models.Model]) -> bool:
    name = apps.get_app_config(model._meta.app_label).name
    return name in settings.TENANT_APPS and name not in settings.SHARED_APPS


def _forget_everywhere(user_id: UUID) -> None:
    """Rows of the shared schema. Django's own deletion would look for rows of organisations there."""
    ApiKey.objects.filter(created_by_id=user_id).delete()
    for relation in User._meta.related_objects:
        model = relation.related_model
        if not _is_in_schema(model) and model not in (ApiKey, Membership):
            model._default_manager.filter(**{relation.field.name: user_id}).delete()
    people = User.objects.filter(pk=user_id)
    people._raw_delete(people.db)
