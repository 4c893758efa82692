"""The Django application `generation`: one set of tables in every organisation's schema."""

from django.apps import AppConfig


class GenerationAppConfig(AppConfig):
    name = "generation"
