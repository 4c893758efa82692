"""The first page of an organisation."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from core.permissions import Permission, requires
from frontend.figures import figure_cards
from generation.queries.configs import shipped_templates
from generation.queries.figures import week_figures
from generation.queries.overview import overview


@requires(GET=Permission.RUNS_READ)
def home(request: HttpRequest) -> HttpResponse:
    """What is live, held and new; before the first run, the way to it."""
    facts = overview()
    context: dict[str, object] = {"overview": facts}
    if facts.has_run:
        context["figures"] = figure_cards(week_figures())
    else:
        context["templates"] = shipped_templates()
    return render(request, "frontend/overview.html", context)
