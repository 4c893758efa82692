"""The Django application `evaluation`: one set of tables in every organisation's schema."""

from django.apps import AppConfig


class EvaluationAppConfig(AppConfig):
    name = "evaluation"
