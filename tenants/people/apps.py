"""The Django application `tenants.people`: what one organisation keeps about how its people come in."""

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "tenants.people"
