"""The page where a person lets an application act for them (RFC 6749 4.1, with RFC 7636 and RFC 9207)."""

from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from oauthlib.common import add_params_to_uri
from oauthlib.oauth2.rfc6749.errors import FatalClientError, OAuth2Error

from core.pages import error_answer
from core.permissions import CATALOGUE, Permission, principal_of, requires, step_up
from frontend.onward import onward
from tenants import scopes
from tenants.oauth import services
from tenants.oauth.server import BadParameters, Server, parameters
from tenants.oauth.tokens import Place, place_of


@step_up("GET", "POST")
@requires(GET=Permission.MEMBER, POST=Permission.MEMBER)
def authorize(request: HttpRequest) -> HttpResponse:
    """Ask, and take the answer. Every request is checked anew: nothing of the first is kept but the form's fields."""
    given: QueryDict = request.GET if request.method in ("GET", "HEAD") else request.POST
    place = place_of(request)
    try:
        asked = parameters(given)
        application, wanted, _ = Server(place).check_authorization(asked)
    except BadParameters as error:
        return error_answer(request, 400, f"The application asked in a way that cannot be read. {error}")
    except FatalClientError as error:
        return error_answer(
            request, 400, f"The application asked in a way that is not allowed: {_words(error)}"
        )
    except OAuth2Error as error:
        return _back(request, place, asked["redirect_uri"], [*error.twotuples])
    state = [("state", asked["state"])] if "state" in asked else []
    may = scopes.named(wanted) & principal_of(request).permissions
    granted = [one for one in wanted if one in may]
    if not granted:
        return _back(request, place, asked["redirect_uri"], [("error", "invalid_scope"), *state])
    if given.get("decision") == "deny" and request.method == "POST":
        return _back(request, place, asked["redirect_uri"], [("error", "access_denied"), *state])
    if given.get("decision") == "allow" and request.method == "POST":
        code = services.new_secret()
        services.approve(
            actor=principal_of(request),
            membership=request.user.membership,  # type: ignore[union-attr]
            application=application,
            permissions=granted,
            redirect_uri=asked["redirect_uri"],
            challenge=asked["code_challenge"],
            code=code,
        )
        return _back(request, place, asked["redirect_uri"], [("code", code), *state])
    context = {
        "application": application,
        "permissions": [one for one in CATALOGUE if one in may],
        "lasting_days": services.GRANT_LIFE.days,
        "idle_days": services.REFRESH_LIFE.days,
        "left_out": len(wanted) - len(granted),
        "fields": sorted(asked.items()),
        "destination": urlsplit(asked["redirect_uri"]).netloc,
    }
    response = render(request, "frontend/authorize.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _back(request: HttpRequest, place: Place, address: str, answer: list[tuple[str, str]]) -> HttpResponse:
    """To the application, with the issuer, so that it cannot mistake whose answer this is.

    By a page also where no form was sent: the sign-in, or the second factor, may have been one.
    """
    target = add_params_to_uri(address, [*answer, ("iss", place.issuer)])
    return onward(request, target, to=urlsplit(address).netloc, said="You are going back")


def _words(error: OAuth2Error) -> str:
    return str(error.description or error.error).rstrip(".").lower() + "."
