"""The way out of the platform after a form: a page that goes on by itself.

Browsers hold every redirect that follows a form to the policy of the page with the form (CSP 3, form-action), also those that
the other side adds, and drop the answer without a word. A page ends the form's navigation and begins one of its own.
"""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def onward(
    request: HttpRequest, address: str, *, to: str, said: str, template: str = "frontend/onward.html"
) -> HttpResponse:
    """Answer with a page that leads to `address`, which is not ours; `to` names it, `said` is what has happened here."""
    page = render(request, template, {"address": address, "to": to, "said": said})
    page["Cache-Control"] = "no-store"
    page["Referrer-Policy"] = "no-referrer"  # the way here may hold what is meant for this host alone
    return page
