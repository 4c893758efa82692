"""One's own second factors: authenticator app, security keys, recovery codes."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from core.errors import DomainError
from core.permissions import Permission, principal_of, requires, step_up
from frontend.forms import Code, NewSecurityKey
from frontend.views.confirm import target_of
from tenants.people import factors, passwords
from tenants.people.factor_queries import has_factor
from tenants.people.person import me, membership_of


@requires(GET=Permission.MEMBER)
def security(request: HttpRequest) -> HttpResponse:
    """How one signs in here, at a glance."""
    user = me(request)
    without = passwords.words_without(membership_of(user))
    return _page(request, "security", {"factors": factors.factors_of(user.pk), "without_password": without})


@requires(GET=Permission.MEMBER)
def second_factor(request: HttpRequest) -> HttpResponse:
    """Where everybody without a second factor comes when the organisation asks for one."""
    if not principal_of(request).must_enrol:
        return redirect(target_of(request))
    return _page(
        request,
        "second_factor",
        {"has_factor": has_factor(me(request).pk), "next": target_of(request)},
    )


@step_up("GET", "POST")
@requires(GET=Permission.MEMBER, POST=Permission.MEMBER)
def app_add(request: HttpRequest) -> HttpResponse:
    """The secret is made when the page is opened and counts once a code proved that the app has it."""
    user, form, status = me(request), Code(), 200
    if request.method == "POST":
        form, status = Code(request.POST), 422
        if form.is_valid():
            try:
                return _added(request, factors.add_app(request, user, form.cleaned_data["code"]))
            except DomainError as error:
                form.add_error("code", str(error))
                status = error.http_status
    elif factors.factors_of(user.pk).has_app:
        messages.info(request, "You have an authenticator app already. Remove it before you set up another.")
        return redirect("security")
    secret = factors.pending_secret(request, renew=request.method == "GET")
    context = {"form": form, "picture": factors.picture(user, secret), "secret": secret}
    return _page(request, "factor_app", context, status)


@step_up("GET", "POST")
@requires(GET=Permission.MEMBER, POST=Permission.MEMBER)
def key_add(request: HttpRequest) -> HttpResponse:
    user, form, status = me(request), NewSecurityKey(), 200
    if request.method == "POST":
        form, status = NewSecurityKey(request.POST), 422
        if form.is_valid():
            try:
                return _added(request, factors.add_key(request, user, **form.cleaned_data))
            except DomainError as error:
                form.add_error(None, str(error))
                status = error.http_status
    return _page(request, "factor_key", {"form": form, "options": factors.key_options(user)}, status)


@step_up("POST")
@requires(POST=Permission.MEMBER)
def factor_remove(request: HttpRequest, factor_id: int) -> HttpResponse:
    factor = factors.remove_factor(request.session, me(request), factor_id)
    messages.success(request, f"“{factor.name}” is removed. It no longer lets anybody in.")
    return redirect("security")


@step_up("POST")
@requires(POST=Permission.MEMBER)
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Make new codes. The answer itself shows them, this once."""
    return _codes(request, factors.make_recovery_codes(request.session, me(request)))


def _added(request: HttpRequest, codes: list[str]) -> HttpResponse:
    if codes:
        return _codes(request, codes)
    messages.success(
        request, "Set up. Other browsers are signed out; from the next sign-in on you are asked for it."
    )
    return redirect("security")


def _codes(request: HttpRequest, codes: list[str]) -> HttpResponse:
    return _page(request, "recovery_codes", {"codes": [f"{code[:5]} {code[5:]}" for code in codes]})


def _page(request: HttpRequest, name: str, context: dict[str, object], status: int = 200) -> HttpResponse:
    response = render(request, f"frontend/{name}.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response
