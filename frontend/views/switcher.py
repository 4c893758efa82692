"""The organisations in the menu of this browser: joining one up, agreeing there, taking one out."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from core.errors import DomainError
from core.permissions import Permission, requires
from frontend.forms import OtherOrganisation
from tenants.addresses import origin_of
from tenants.people import switcher
from tenants.queries import organisations_of


@requires(GET=Permission.MEMBER, POST=Permission.MEMBER)
def organisation_menu(request: HttpRequest) -> HttpResponse:
    """GET with an address looks another organisation up; POST takes one out of the menu."""
    if request.method == "POST":
        answer = redirect("organisation-menu")
        switcher.remove(request, answer, request.POST.get("remove", ""))
        messages.success(request, "Taken out of the menu of this browser here.")
        return answer
    form = OtherOrganisation(request.GET if "address" in request.GET else None)
    context: dict[str, object] = {"form": form, "shown": _shown(request)}
    if not form.is_valid():
        return render(request, "frontend/organisation_menu.html", context, status=422 if form.errors else 200)
    try:
        other = switcher.organisation_at(request, form.cleaned_data["address"])
    except DomainError as error:
        form.add_error("address", str(error))
        return render(request, "frontend/organisation_menu.html", context, status=error.http_status)
    context |= {"other": other, "next": switcher.offer(request, other)}
    return render(request, "frontend/organisation_menu.html", context)


@requires(GET=Permission.MEMBER, POST=Permission.MEMBER)
def organisation_join(request: HttpRequest) -> HttpResponse:
    """Where the person comes to from another organisation, to agree."""
    ticket = (request.POST if request.method == "POST" else request.GET).get("ticket", "")
    try:
        given = switcher.read_offer(request, ticket)
    except DomainError as error:
        return _refused(request, error)
    if request.method == "POST":
        return redirect(switcher.answer(request, given))
    context = {"other": given.organisation, "ticket": ticket}
    response = render(request, "frontend/organisation_join.html", context)
    # browsers hold the redirect that answers a form to the policy of the page with the form
    response._csp_update = {"form-action": [origin_of(given.organisation.host)]}  # type: ignore[attr-defined]
    response["Cache-Control"] = "no-store"
    return response


@requires(GET=Permission.MEMBER)
def organisation_joined(request: HttpRequest) -> HttpResponse:
    """First at the organisation that asked, then at the one where the person agreed, then back where they began."""
    answer = HttpResponse(status=302)
    try:
        joined = switcher.finish(request, answer, request.GET.get("ticket", ""))
    except DomainError as error:
        return _refused(request, error)
    if joined.next:
        messages.success(
            request, f"{joined.organisation.name} is in your menu here now, and this organisation there."
        )
    answer["Location"] = joined.next or f"{origin_of(joined.organisation.host)}{reverse('organisation-menu')}"
    return answer


def _shown(request: HttpRequest) -> list[object]:
    tenant = request.tenant  # type: ignore[attr-defined]  # set by the tenant middleware
    found = organisations_of(str(request.user.pk), tenant, switcher.shown(request))
    return [one for one in found if not one.is_current]


def _refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    context = {"form": OtherOrganisation(), "shown": _shown(request), "refusal": str(error)}
    return render(request, "frontend/organisation_menu.html", context, status=error.http_status)
