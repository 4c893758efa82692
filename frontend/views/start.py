"""Starting an organisation for oneself, on the base host: the form, the proof of the address, the progress."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from core.errors import DomainError, RateLimited
from core.mail import later
from core.permissions import Permission, requires
from core.ratelimit import client_address
from frontend.start_forms import AnotherSlug, Founder, NewOrganisation
from tenants.founding import letters, names, services, throttle
from tenants.founding.models import OrganisationRequest
from tenants.founding.pages import start_page
from tenants.people.passwords import RULES


@start_page
@requires(GET=Permission.PUBLIC, POST=Permission.PUBLIC)
def start(request: HttpRequest) -> HttpResponse:
    """The answer to a form that fits is the same for every address, known or not."""
    form = NewOrganisation()
    if request.method == "POST":
        throttle.count(request, "begin")
        form = NewOrganisation(request.POST)
        if form.is_valid():
            try:
                begun = services.begin(**form.cleaned_data, machine=client_address(request))
            except DomainError as error:
                form.add_error(form.place_of(error), str(error))
                return _page(request, "start", {"form": form}, error.http_status)
            if begun is not None:
                _mail(begun)
            return _page(
                request, "start", {"sent_to": form.cleaned_data["email"], "has_email": settings.HAS_EMAIL}
            )
    return _page(request, "start", {"form": form}, 422 if form.errors else 200)


@start_page
@requires(GET=Permission.PUBLIC)
def start_name(request: HttpRequest) -> HttpResponse:
    """Swap target: what there is to say about a short name while it is typed."""
    slug = request.GET.get("slug", "").strip().lower()
    try:
        throttle.count(request, "name")
        names.check_slug(slug)
        names.check_free(slug)
    except RateLimited:
        return _page(request, "partials/start_name", {}, 429)
    except DomainError as error:
        return _page(request, "partials/start_name", {"problem": str(error)})
    return _page(request, "partials/start_name", {"host": names.host_of(slug)})


@start_page
@requires(GET=Permission.PUBLIC, POST=Permission.PUBLIC)
def start_confirm(request: HttpRequest, request_token: str) -> HttpResponse:
    """The link of the mail. Opening it changes nothing, since scanners of mail open links, too."""
    throttle.count(request, "confirm")
    found = services.unproved_of_token(request_token)
    form, status = Founder(initial={"slug": found.slug}), 200
    if request.method == "POST":
        form, status = Founder(request.POST), 422
        if form.is_valid():
            try:
                token = services.confirm(
                    token=request_token,
                    slug=form.cleaned_data["slug"],
                    person_name=form.cleaned_data["name"],
                    password=form.cleaned_data["password"],
                )
                return redirect("start-progress", progress_token=token)
            except DomainError as error:
                form.add_error(form.place_of(error), str(error))
                status = error.http_status
    return _page(request, "start_confirm", {"form": form, "wish": found, "rules": RULES}, status)


@start_page
@requires(GET=Permission.PUBLIC, POST=Permission.PUBLIC)
def start_progress(request: HttpRequest, progress_token: str) -> HttpResponse:
    """What has become of it; sending the form tries again."""
    throttle.count(request, "progress")
    found = services.request_of_progress(progress_token)
    form, status = AnotherSlug(initial={"slug": found.slug}), 200
    if request.method == "POST":
        form, status = AnotherSlug(request.POST), 422
        if form.is_valid():
            try:
                services.retry(token=progress_token, slug=form.cleaned_data["slug"])
                return redirect("start-progress", progress_token=progress_token)
            except DomainError as error:
                form.add_error(form.place_of(error), str(error))
                status = error.http_status
    context = {
        "form": form,
        "wish": found,
        "address": services.address_of(found),
        "states": OrganisationRequest.State,
    }
    return _page(request, "start_progress", context, status)


def _mail(begun: services.Begun) -> None:
    """After the answer: how long a mail server takes tells nothing."""
    link = f"{begun.request.origin}{reverse('start-confirm', args=[begun.token])}"
    later(lambda: letters.mail_proof(begun.request, link=link))


def _page(request: HttpRequest, name: str, context: dict[str, object], status: int = 200) -> HttpResponse:
    return render(request, f"frontend/{name}.html", context, status=status)
