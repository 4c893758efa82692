"""Pages for people who cannot sign in yet, or no longer: accepting an invitation, setting a new password."""

import time
from collections.abc import Callable

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from core.errors import Busy, DomainError
from core.mail import later
from core.permissions import Permission, requires
from frontend.forms import Email, NewPassword, NewPerson, PersonName, place_of
from tenants.addresses import own_address
from tenants.mail_addresses import as_kept
from tenants.models import Membership
from tenants.people import invitations, letters, passwords, throttle
from tenants.queries import members
from tenants.sign_in import MemberBackend, note_password
from tenants.sso import queries as sso


@requires(GET=Permission.PUBLIC, POST=Permission.PUBLIC)
def join(request: HttpRequest, token: str) -> HttpResponse:
    """The link of an invitation: choose name and password, and be in. Who comes in by the provider has no password."""
    throttle.count_public_form(request, "join")
    invitation = invitations.invitation_of_token(token)
    needs_password, status = invitations.needs_password(invitation), 200
    form_class = NewPerson if needs_password else PersonName
    form = form_class()
    if request.method == "POST":
        form, status = form_class(request.POST), 422
        if form.is_valid():
            name, password = form.cleaned_data["name"], form.cleaned_data.get("password")
            try:
                joined = invitations.accept(token=token, name=name, password=password)
            except DomainError as error:
                form.add_error(place_of(form, error), str(error))
                status = error.http_status
            else:
                return _signed_in(request, joined) if needs_password else _to_sign_in(request)
    context = {
        "form": form,
        "invitation": invitation,
        "needs_password": needs_password,
        "rules": passwords.RULES,
    }
    return _page(request, "join", context, status)


@requires(GET=Permission.PUBLIC, POST=Permission.PUBLIC)
def password_new(request: HttpRequest, password_token: str) -> HttpResponse:
    """The link that an admin handed over, or that came by mail."""
    throttle.count_public_form(request, "password")
    member = passwords.member_of_token(password_token)
    form, status = NewPassword(), 200
    if request.method == "POST":
        form, status = NewPassword(request.POST), 422
        if form.is_valid():
            password = form.cleaned_data["password"]
            try:
                changed = passwords.set_password(token=password_token, password=password)
            except DomainError as error:
                form.add_error("password", str(error))
                status = error.http_status
            else:
                return _signed_in(request, changed)
    context = {
        "form": form,
        "member": member,
        "is_refused": sso.refuses_password(member),
        "rules": passwords.RULES,
    }
    return _page(request, "password_new", context, status)


@requires(GET=Permission.PUBLIC, POST=Permission.PUBLIC)
def password_lost(request: HttpRequest) -> HttpResponse:
    """The answer is the same for everybody, in words and in time: what follows from it happens afterwards."""
    form, is_sent = Email(), False
    if request.method == "POST" and settings.HAS_EMAIL:
        throttle.count_public_form(request, "password-lost")
        form = Email(request.POST)
        if is_sent := form.is_valid():
            _mail_link(request, form.cleaned_data["email"])
    context = {"form": form, "is_sent": is_sent, "has_email": settings.HAS_EMAIL}
    return _page(request, "password_lost", context, 422 if form.errors else 200)


def _mail_link(request: HttpRequest, email: str) -> None:
    organisation = request.tenant.name  # type: ignore[attr-defined]  # set by the tenant middleware

    def act() -> None:
        member = members().filter(user__email=as_kept(email), is_active=True).first()
        if member is not None and throttle.may_mail_link(member):
            token = _patiently(lambda: passwords.make_link(actor=passwords.ANYBODY, membership=member))
            link = own_address(request, reverse("password-new", args=[token]))
            letters.mail_password_link(member, organisation=organisation, link=link)

    later(act)


def _patiently(make: Callable[[], str]) -> str:
    """Nobody waits for this at a page, so it may come back some times."""
    for _ in range(5):
        try:
            return make()
        except Busy as busy:
            time.sleep(busy.retry_after_seconds)
    return make()


def _signed_in(request: HttpRequest, member: Membership) -> HttpResponse:
    """Go on as after the password at the sign-in: a second factor is still asked for."""
    request.session.flush()
    user = MemberBackend().get_user(member.user_id)
    if user is None or user.membership.password != member.password:  # type: ignore[attr-defined]  # set by the backend
        return redirect("account_login")  # it was ended or changed in this moment
    note_password(request, user)
    try:
        response: HttpResponse = perform_password_login(request, {"email": user.email}, Login(user=user))
    except Busy:  # the password stands, and the link is used
        messages.success(request, "Your password is set. Sign in with it to begin.")
        return redirect("account_login")
    return response


def _to_sign_in(request: HttpRequest) -> HttpResponse:
    """The provider is another host, which a form of ours may not lead to: the page of the sign-in has the way."""
    request.session.flush()
    organisation = request.tenant.name  # type: ignore[attr-defined]  # set by the tenant middleware
    messages.success(
        request, f"You are a member of {organisation}. Sign in with its identity provider to begin."
    )
    return redirect("account_login")


def _page(request: HttpRequest, name: str, context: dict[str, object], status: int) -> HttpResponse:
    response = render(request, f"frontend/{name}.html", context, status=status)
    response["Cache-Control"] = "no-store"
    return response
