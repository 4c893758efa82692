"""The list of runs: strip of outcomes, segmented filter, search, paging."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from core.permissions import Permission, requires
from frontend.charts.strip import StripRun, run_strip
from frontend.figures import figure_cards
from frontend.fragments import render_fragment, render_page, wants_fragment
from frontend.paging import Filter, address, plain_text, positive, search_text
from frontend.states import bar_status
from generation.queries.figures import week_figures
from generation.queries.runs import Bar, recent_bars, runs_page

LEGEND = (("pass", "released"), ("warn", "held"), ("fail", "failed"), ("live", "live"), ("idle", "cancelled"))
FILTERS = (
    ("", "All"),
    ("live", "Live"),
    ("released", "Released"),
    ("held", "Held"),
    ("failed", "Failed"),
    ("cancelled", "Cancelled"),
)


@requires(GET=Permission.RUNS_READ)
def run_list(request: HttpRequest) -> HttpResponse:
    """The page, or only its table when the filter asks for it."""
    search = search_text(request)
    state = plain_text(request, "state")
    if state not in dict(FILTERS):
        state = ""
    before = positive(request.GET, "before")
    page = runs_page(state=state or None, search=search, before=before)
    counts = {**page.counts, "live": page.counts["queued"] + page.counts["running"], "": page.counts["all"]}
    context = {
        "page": page,
        "search": search,
        "state": state,
        "total": None if search else counts[state],
        # while something is live the table draws itself again
        "here": address(state=state, q=search, before=before)
        if any(row.is_live for row in page.rows)
        else None,
        "newer": address(state=state, q=search) if before else None,
        "older": address(state=state, q=search, before=page.next_before) if page.next_before else None,
        "filters": [
            Filter(label, address(state=value, q=search), counts[value], value == state)
            for value, label in FILTERS
        ],
    }
    if wants_fragment(request):
        return render_fragment(request, "frontend/runs.html", "table", context)
    if page.counts["all"]:
        bars = recent_bars()
        context |= {
            "figures": figure_cards(week_figures()),
            "strip": run_strip([_strip_run(bar) for bar in bars]),
            "strip_title": f"Last {len(bars)} runs" if len(bars) > 1 else "One run so far",
            "legend": LEGEND,
        }
    return render_page(request, "frontend/runs.html", context)


def _strip_run(bar: Bar) -> StripRun:
    status = bar_status(bar)
    return StripRun(
        href=reverse("run", args=[bar.number]),
        label=f"{bar.name} #{bar.number}",
        tone=status.tone,
        word=status.word.lower(),
        duration_seconds=bar.duration_seconds,
    )
