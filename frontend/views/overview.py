"""The first page of an organisation."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from core.permissions import Permission, principal_of, requires
from frontend.context import landing, run_counts
from frontend.figures import figure_cards
from generation.queries.configs import dataset_rows, shipped_templates
from generation.queries.figures import week_figures
from generation.queries.runs import live_runs, matching_runs, run_rows

_HELD_ROWS = 5
_RECENT_ROWS = 6


@requires(GET=Permission.MEMBER)
def home(request: HttpRequest) -> HttpResponse:
    """What is live, held and new; before the first run, the way to it. Who may not see runs starts elsewhere."""
    principal = principal_of(request)
    if principal.must_enrol:
        return redirect(f"{reverse('second-factor')}?next=/")
    if not principal.can(Permission.RUNS_READ):
        return redirect(landing(principal).href)
    counts = run_counts(request)
    if not counts["all"]:
        return render(request, "frontend/overview.html", {"templates": shipped_templates()})
    context = {
        "figures": figure_cards(week_figures()),
        "live": live_runs() if counts["queued"] + counts["running"] else (),
        "held": run_rows(list(matching_runs(state="held")[:_HELD_ROWS])) if counts["held"] else (),
        "recent": dataset_rows(limit=_RECENT_ROWS) if principal.can(Permission.CONFIGS_READ) else (),
    }
    return render(request, "frontend/overview.html", context)
