"""Between the browser and the identity provider: begin a sign-in, take what comes back, sign out there, too."""

from dataclasses import replace
from typing import cast

from allauth.account import views as account
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.csrf import csrf_exempt

from core.errors import DomainError, NotFound, RateLimited
from core.permissions import Permission, principal_of, requires
from core.ratelimit import Limit, check, client_machine
from core.tenancy import tenant_key
from frontend.onward import onward
from tenants.addresses import local_path
from tenants.models import User
from tenants.sso import arrivals, oidc, pending, queries, saml, sessions, sign_in
from tenants.sso.claims import Facts
from tenants.sso.errors import SsoRefused
from tenants.sso.models import Connection
from tenants.sso.pending import Pending
from tenants.sso.refusals import note_refusal

_PER_MINUTE = 120  # of one address: two for each sign-in, and a whole office may share an address
_ORGANISATION_PER_MINUTE = 1200


# -- there ---------------------------------------------------------------------------------------------------


@requires(GET=Permission.PUBLIC)
def sso_start(request: HttpRequest) -> HttpResponseBase:
    """To the identity provider, to come back signed in."""
    _count(request)
    return begin(request, queries.live_connection(), Pending(key="", purpose="sign_in", next=_local(request)))


@requires(GET=Permission.MEMBER)
def sso_confirm(request: HttpRequest) -> HttpResponseBase:
    """To the identity provider, to prove again who is there (step-up)."""
    user_id = principal_of(request).user_id or ""
    begun = Pending(key="", purpose="confirm", next=_local(request), user_id=user_id)
    return begin(request, queries.live_connection(), begun)


def begin(
    request: HttpRequest, connection: Connection, begun: Pending, *, is_after_form: bool = False
) -> HttpResponseBase:
    """Send the browser away with something to remember."""
    if connection.protocol == Connection.Protocol.OIDC:
        address, made = oidc.begin(request, connection, is_forced=begun.is_forced)
        begun = replace(begun, key=made.key, nonce=made.nonce, verifier=made.verifier)
    else:
        address, key = saml.begin(request, connection, is_forced=begun.is_forced)
        begun = replace(begun, key=key)
    said = "You are going to your identity provider"
    response = onward(request, address, to=connection.name, said=said) if is_after_form else redirect(address)
    pending.begin(request, response, begun)
    return response


# -- and back ------------------------------------------------------------------------------------------------


@requires(GET=Permission.PUBLIC)
def oidc_callback(request: HttpRequest) -> HttpResponseBase:
    _count(request)
    connection = _connection(Connection.Protocol.OIDC)
    begun = _begun(request, request.GET.get("state", ""))
    try:
        if begun is None:
            raise SsoRefused("this browser has not begun this sign-in", shown=_NOT_BEGUN)
        facts = oidc.receive(request, connection, begun)
        response = _finish(request, connection, facts, begun)
    except SsoRefused as error:
        response = _refused(request, error, begun)
    if begun is not None:
        pending.end(request, response, begun.key)
    return response


@csrf_exempt  # the provider's page posts it; what protects it is the signature, and the browser is matched on the next page
@requires(POST=Permission.PUBLIC)
def saml_acs(request: HttpRequest) -> HttpResponseBase:
    """Take a response. Whose sign-in it is shows on the next page: posts from elsewhere come without cookies."""
    _count(request)
    connection = _connection(Connection.Protocol.SAML)
    try:
        ticket, facts = saml.receive(request, connection)
    except SsoRefused as error:
        return _refused(request, error, None)
    query = {"ticket": ticket}
    if not facts.answers:  # sent by the provider unasked: its RelayState may name a place of ours
        query["next"] = local_path(request.POST.get("RelayState", ""))
    response = redirect(f"{reverse('saml-finish')}?{urlencode(query)}")
    response["Referrer-Policy"] = "no-referrer"
    return response


@requires(GET=Permission.PUBLIC)
def saml_finish(request: HttpRequest) -> HttpResponseBase:
    _count(request)
    connection = _connection(Connection.Protocol.SAML)
    begun = None
    try:
        facts = arrivals.take(request.GET.get("ticket", ""))
        if facts.answers:
            begun = _begun(request, facts.answers)
            if begun is None:
                raise SsoRefused("another browser has begun this sign-in", shown=_NOT_BEGUN)
        else:
            begun = Pending(key="", purpose="sign_in", next=_local(request))
        response = _finish(request, connection, facts, begun)
    except SsoRefused as error:
        response = _refused(request, error, begun)
    if begun is not None:
        pending.end(request, response, begun.key)
    return response


@requires(GET=Permission.PUBLIC)
def saml_metadata(request: HttpRequest) -> HttpResponse:
    connection = _connection(Connection.Protocol.SAML)
    return HttpResponse(saml.own_metadata(request, connection), content_type="application/samlmetadata+xml")


def _finish(request: HttpRequest, connection: Connection, facts: Facts, begun: Pending) -> HttpResponseBase:
    principal = principal_of(request)
    if not sign_in.is_of(facts, connection):
        raise SsoRefused("the answer is of a provider before this one", shown=_NOT_BEGUN)
    if begun.purpose == "test":
        if principal.user_id != begun.user_id or not principal.can(Permission.SSO_WRITE):
            raise SsoRefused("a test belongs to the session that began it", shown=_NOT_BEGUN)
        decision = sign_in.decide(connection, facts)
        context = {
            "facts": facts,
            "decision": decision,
            "connection": connection,
            "role_name": queries.role_name(decision.role),
        }
        return _unkept(render(request, "frontend/sso_test.html", context))
    if not connection.is_enabled:
        raise SsoRefused("single sign-on is switched off", shown="Single sign-on is switched off.")
    if begun.is_forced:
        if principal.user_id != begun.user_id:
            raise SsoRefused("a confirmation belongs to the session that began it", shown=_NOT_BEGUN)
        sign_in.confirm(request, cast(User, request.user), facts, asked_at=begun.at)
    elif begun.purpose == "sign_in":
        sign_in.sign_in(request, facts)
    else:
        raise SsoRefused("this is no answer to a sign-in", shown=_NOT_BEGUN)
    return redirect(begun.next)


def _refused(request: HttpRequest, error: SsoRefused, begun: Pending | None) -> HttpResponse:
    """No session, one bounded line in the audit trail. Who tests the set-up is told why."""
    is_test = (
        begun is not None and begun.purpose == "test" and principal_of(request).can(Permission.SSO_WRITE)
    )
    if not is_test:
        note_refusal(error.reason)
    context = {"message": str(error), "reason": error.reason if is_test else ""}
    return _unkept(render(request, "frontend/sso_refused.html", context, status=error.http_status))


# -- signing out ---------------------------------------------------------------------------------------------


@requires(GET=Permission.PUBLIC, POST=Permission.PUBLIC)
def sign_out(request: HttpRequest) -> HttpResponseBase:
    """End the session here, then the one at the provider that it came from.

    The way there is a page of its own: the policy of the page with the button forbids forms to lead to other hosts.
    """
    noted = dict(request.session.get(sessions.SESSION) or {})
    response = account.logout(request)
    connection = queries.connection()
    if (
        request.method != "POST"
        or not noted
        or connection is None
        or noted.get("issuer") != connection.issuer
    ):
        return cast(HttpResponseBase, response)
    try:
        if connection.protocol == Connection.Protocol.OIDC:
            address, key = oidc.sign_out_address(request, connection, noted), ""
        else:
            address, key = saml.begin_sign_out(request, connection, noted["subject"], noted)
    except DomainError as error:  # nobody is sent there with it; the session here has ended all the same
        note_refusal(error.reason if isinstance(error, SsoRefused) else str(error))
        address, key = "", ""
    if not address:
        return cast(HttpResponseBase, response)
    said, template = "You are signed out here", "frontend/sso_leave.html"
    page = onward(request, address, to=connection.name, said=said, template=template)
    if key:
        pending.begin(request, page, Pending(key=key, purpose="sign_out"))
    return page


@requires(GET=Permission.PUBLIC)
def saml_sls(request: HttpRequest) -> HttpResponseBase:
    """A request of the provider to end sessions, or its answer to ours. It decides nothing about where to go on."""
    _count(request)
    connection = _connection(Connection.Protocol.SAML)
    try:
        message = saml.receive_sign_out(request, connection)
        if message.subject:
            sessions.end_sessions(connection.issuer, message.subject, message.sessions)
            return redirect(message.answer_address or "account_login")
        begun = _begun(request, message.answers)
        if begun is None or begun.purpose != "sign_out":
            raise SsoRefused("this browser has not begun this sign-out", shown=_NOT_BEGUN)
    except SsoRefused as error:
        return _refused(request, error, None)
    messages.success(request, f"You are signed out, also at {connection.name}.")
    response = redirect("account_login")
    pending.end(request, response, begun.key)
    return response


# -- parts ---------------------------------------------------------------------------------------------------


def _connection(protocol: str) -> Connection:
    """The connection of this protocol, also while it is switched off: an admin may test it."""
    connection = queries.connection()
    if connection is None or connection.protocol != protocol:
        raise NotFound
    return connection


def _begun(request: HttpRequest, key: str) -> Pending | None:
    return next((one for one in pending.of(request) if key and one.key == key), None)


def _count(request: HttpRequest) -> None:
    """Raises RateLimited."""
    decision = check(
        [
            Limit(tenant_key("rate", "sso", client_machine(request)), _PER_MINUTE, _PER_MINUTE),
            Limit(
                tenant_key("rate", "sso", "organisation"), _ORGANISATION_PER_MINUTE, _ORGANISATION_PER_MINUTE
            ),
        ]
    )
    if not decision.is_allowed:
        seconds = decision.retry_after_seconds
        raise RateLimited(f"Too many sign-ins. Wait {seconds} s.", retry_after_seconds=seconds)


def _local(request: HttpRequest) -> str:
    return local_path(request.GET.get("next", ""))


def _unkept(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    return response


_NOT_BEGUN = "This sign-in was not begun in this browser, or it took longer than 10 minutes. Sign in again."
