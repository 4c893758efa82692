"""The Django application `tenants.people`: what one organisation keeps about how its people come in."""

from importlib import import_module

from django.apps import AppConfig


class PeopleConfig(AppConfig):
    name = "tenants.people"

    def ready(self) -> None:
        import_module("tenants.people.signals")
