"""The set-up of single sign-on: provider, claims and roles, mail domains, and the switches."""

from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from core.errors import DomainError, InvalidInput
from core.permissions import Permission, principal_of, requires, step_up
from frontend.forms import place_of
from frontend.sso_forms import ClaimChoices, NewDomain, OidcProvider, SamlProvider
from frontend.views.sso import begin
from tenants.addresses import own_address
from tenants.sso import domains, oidc, queries, saml, services, sessions
from tenants.sso.models import Connection
from tenants.sso.pending import Pending

_EMPTY_ROWS = 2


@requires(GET=Permission.SSO_READ)
def sso_page(request: HttpRequest) -> HttpResponse:
    return _page(request)


# -- the provider --------------------------------------------------------------------------------------------


@step_up("POST")
@requires(POST=Permission.SSO_WRITE)
def sso_oidc(request: HttpRequest) -> HttpResponse:
    form = OidcProvider(request.POST)
    if not form.is_valid():
        return _page(request, oidc_form=form, status=422)
    try:
        before = queries.connection()
        stored = services.set_oidc(
            principal=principal_of(request), but=request.session.session_key, **form.cleaned_data
        )
    except DomainError as error:
        about_issuer = "issuer" if isinstance(error, InvalidInput) else None
        form.add_error(place_of(form, error) or about_issuer, str(error))
        return _page(request, oidc_form=form, status=error.http_status)
    return _stored(request, before, stored)


@step_up("POST")
@requires(POST=Permission.SSO_WRITE)
def sso_saml(request: HttpRequest) -> HttpResponse:
    form = SamlProvider(request.POST)
    if not form.is_valid():
        return _page(request, saml_form=form, status=422)
    chosen = form.cleaned_data
    address, text = chosen.pop("metadata_url"), chosen.pop("metadata")
    try:
        metadata = saml.fetch_metadata(address) if address else text.encode()
        before = queries.connection()
        stored = services.set_saml(
            principal=principal_of(request), metadata=metadata, but=request.session.session_key, **chosen
        )
    except DomainError as error:
        form.add_error("metadata_url" if address else "metadata", str(error))
        return _page(request, saml_form=form, status=error.http_status)
    return _stored(request, before, stored)


@step_up("POST")
@requires(POST=Permission.SSO_WRITE)
def sso_remove(request: HttpRequest) -> HttpResponse:
    ended = services.remove(principal=principal_of(request))
    said = "Single sign-on is removed. Members stay; those without a password need one."
    return _ended(request, f"{said} {_count(ended)}")


def _stored(request: HttpRequest, before: Connection | None, stored: Connection) -> HttpResponse:
    said = "The provider is stored. Test it before people use it."
    if before is not None and before.place != stored.place:
        said = "Another provider is stored, and single sign-on is switched off: test it, then switch it on again."
        said += " The sessions that the one before opened have ended, but for this one."
    messages.success(request, said)
    return redirect("sso")


def _ended(request: HttpRequest, said: str) -> HttpResponse:
    """After the end of the sessions that a provider opened: this one may be among them."""
    if is_own := sessions.is_opened_by_provider(request.session):
        request.session.flush()
    else:
        sessions.forget_proofs(request.session)
    messages.success(request, said)
    return redirect("account_login" if is_own else "sso")


def _count(ended: int) -> str:
    return f"{ended} session{' that it opened has' if ended == 1 else 's that it opened have'} ended."


# -- what it gives -------------------------------------------------------------------------------------------


@step_up("POST")
@requires(POST=Permission.SSO_WRITE)
def sso_claims(request: HttpRequest) -> HttpResponse:
    form = _claims_form(queries.needed_connection(), request.POST)
    rows = _posted_rows(request)
    if not form.is_valid():
        return _page(request, claims_form=form, rows=rows, status=422)
    claims = services.Claims(group_roles=[row for row in rows if row[0]], **form.cleaned_data)
    try:
        services.set_claims(principal=principal_of(request), claims=claims)
    except DomainError as error:
        form.add_error(place_of(form, error), str(error))
        return _page(request, claims_form=form, rows=rows, status=error.http_status)
    messages.success(request, "Saved. Roles follow the groups from each person’s next sign-in on.")
    return redirect("sso")


@step_up("GET")
@requires(GET=Permission.SSO_WRITE)
def sso_test(request: HttpRequest) -> HttpResponseBase:
    """A sign-in that changes nothing and shows what came. Who had to confirm first comes here by that form."""
    begun = Pending(key="", purpose="test", user_id=principal_of(request).user_id or "")
    return begin(request, queries.needed_connection(), begun, is_after_form=True)


# -- switches ------------------------------------------------------------------------------------------------


@step_up("POST")
@requires(POST=Permission.SSO_WRITE)
def sso_switch(request: HttpRequest) -> HttpResponse:
    if _is_on(request):
        connection = services.switch_on(principal=principal_of(request))
        messages.success(request, f"People can sign in with {connection.name}.")
        return redirect("sso")
    ended = services.switch_off(principal=principal_of(request))
    return _ended(request, f"Single sign-on is switched off. {_count(ended)}")


@step_up("POST")
@requires(POST=Permission.SSO_WRITE)
def sso_enforce(request: HttpRequest) -> HttpResponse:
    is_enforced = _is_on(request)
    services.enforce(principal=principal_of(request), is_enforced=is_enforced)
    said = "Passwords of people in verified domains are refused." if is_enforced else "Passwords work again."
    messages.success(request, said)
    return redirect("sso")


def _is_on(request: HttpRequest) -> bool:
    """What a switch is put to. Raises: InvalidInput for anything else, since to switch off ends sessions."""
    to = request.POST.get("to")
    if to not in ("on", "off"):
        raise InvalidInput("A switch is put to “on” or “off”.")
    return to == "on"


# -- mail domains --------------------------------------------------------------------------------------------


@step_up("POST")
@requires(POST=Permission.SSO_WRITE)
def sso_domain_add(request: HttpRequest) -> HttpResponse:
    form = NewDomain(request.POST)
    if not form.is_valid():
        return _page(request, domain_form=form, status=422)
    try:
        services.add_domain(principal=principal_of(request), name=form.cleaned_data["name"])
    except DomainError as error:
        form.add_error("name", str(error))
        return _page(request, domain_form=form, status=error.http_status)
    return redirect("sso")


@requires(POST=Permission.SSO_WRITE)
def sso_domain_check(request: HttpRequest, domain_id: UUID) -> HttpResponse:
    row = services.check_domain(principal=principal_of(request), domain_id=domain_id)
    state = "is verified" if row.verified_at else "is not verified"
    messages.info(request, f"{row.name} {state}. {row.last_result}")
    return redirect("sso")


@step_up("POST")
@requires(POST=Permission.SSO_WRITE)
def sso_domain_remove(request: HttpRequest, domain_id: UUID) -> HttpResponse:
    try:
        services.remove_domain(principal=principal_of(request), domain_id=domain_id)
    except services.NotReady as error:
        messages.error(request, str(error))
    return redirect("sso")


# -- the page ------------------------------------------------------------------------------------------------


def _page(request: HttpRequest, *, status: int = 200, rows: Any = None, **forms: Form) -> HttpResponse:
    connection, roles = queries.connection(), queries.mappable_roles()
    context: dict[str, Any] = {
        "connection": connection,
        "is_saml": connection is not None and connection.protocol == Connection.Protocol.SAML,
        "protocol": _protocol(request, connection, forms),
        "addresses": _addresses(request, connection),
        "domains": [
            (row, domains.record_name(row.name), domains.record_value(row.token))
            for row in queries.mail_domains()
        ],
        "domain_form": NewDomain(),
        "is_domain_proven": queries.verified_domains().exists(),
        "roles": roles,
        "role_names": dict(roles),
    }
    if connection is not None:
        kept = [(row["group"], row["role"]) for row in connection.group_roles]
        context |= {
            "claims_form": _claims_form(connection),
            "rows": [*(kept if rows is None else rows), *[("", "")] * _EMPTY_ROWS],
            "gaps": queries.enforcement_gaps(connection),
            "unvouched": queries.unvouched(connection),
            "is_own_session": sessions.is_opened_by_provider(request.session),
            "certificates": _certificates(connection),
            "is_secret_lost": services.has_lost_secret(connection),
        }
    context |= {"oidc_form": _oidc_form(connection), "saml_form": _saml_form(connection)} | forms
    return render(request, "frontend/sso.html", context, status=status)


def _protocol(request: HttpRequest, connection: Connection | None, forms: dict[str, Form]) -> str:
    """Which provider form is open: the one that was sent, the one that was asked for, the one in use."""
    for protocol in ("oidc", "saml"):
        if f"{protocol}_form" in forms:
            return protocol
    asked = request.GET.get("protocol", "")
    return asked if asked in Connection.Protocol.values else (connection.protocol if connection else "")


def _addresses(request: HttpRequest, connection: Connection | None) -> dict[str, list[tuple[str, str]]]:
    """What the provider wants to know about us, by protocol."""
    absolute = partial(own_address, request)
    metadata = [("Metadata", absolute(saml.METADATA))] if connection and connection.protocol == "saml" else []
    return {
        "oidc": [
            ("Redirect URI", absolute(oidc.CALLBACK)),
            ("Sign-out redirect URI", absolute("/login")),
        ],
        "saml": [
            ("Entity ID (audience)", absolute(saml.METADATA)),
            ("ACS URL (reply URL)", absolute(saml.ACS)),
            ("Single logout URL", absolute(saml.SLS)),
            *metadata,
        ],
    }


def _certificates(connection: Connection) -> list[tuple[Any, bool]]:
    """Until when each is good, and whether it is refused for its short key."""
    if connection.protocol != Connection.Protocol.SAML:
        return []
    return [(one.not_valid_after_utc, saml.is_weak(one)) for one in saml.certificates_of(connection)]


def _oidc_form(connection: Connection | None) -> OidcProvider:
    if connection is None or connection.protocol != Connection.Protocol.OIDC:
        return OidcProvider()
    return OidcProvider(
        initial={"name": connection.name, "issuer": connection.issuer, "client_id": connection.client_id}
    )


def _saml_form(connection: Connection | None) -> SamlProvider:
    if connection is None or connection.protocol != Connection.Protocol.SAML:
        return SamlProvider()
    names = ("name", "wants_signed_response", "allows_idp_initiated")
    return SamlProvider(initial={name: getattr(connection, name) for name in names})


def _claims_form(connection: Connection, data: Any = None) -> ClaimChoices:
    names = ("email_claim", "name_claim", "groups_claim", "joining", "default_role")
    form = ClaimChoices(data, initial={name: getattr(connection, name) for name in names})
    refuse = ("", "none: refuse the sign-in")
    form.fields["default_role"].choices = [refuse, *queries.mappable_roles()]  # type: ignore[attr-defined]  # a ChoiceField
    return form


def _posted_rows(request: HttpRequest) -> list[tuple[str, str]]:
    groups, roles = request.POST.getlist("group"), request.POST.getlist("role")
    return [(group.strip(), role) for group, role in zip(groups, roles, strict=False) if group.strip()]
