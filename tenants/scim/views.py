"""SCIM 2.0 over HTTP at /scim/v2/. Source: RFC 7644. Every answer, also of an error, is in SCIM's own media type."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from django.conf import settings
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from pydantic import ValidationError
from scim2_models import (
    Context,
    ForbiddenException,
    InvalidFilterException,
    InvalidSyntaxException,
    InvalidValueException,
    ListResponse,
    NotFoundException,
    PayloadTooLargeException,
    PreconditionFailedException,
    ResourceType,
    ResponseParameters,
    Schema,
    SCIMException,
)

from core import ratelimit, strict_json, texts
from core.errors import DomainError, RateLimited
from core.locks import as_rule
from core.permissions import Permission, principal_of, requires
from core.problems import SCIM_PREFIX, scim_error
from tenants import granting
from tenants.addresses import own_address
from tenants.models import Membership
from tenants.queries import organisation
from tenants.scim import dialects, models, patching, queries, services, tokens
from tenants.scim.resources import CONFIG, LENIENT, MOST, PAGE, PROVIDER, Group, User

_MEDIA_TYPE = "application/scim+json"
_READ, _WRITE = Permission.PROVISIONING_READ, Permission.PROVISIONING_WRITE
_ATTRIBUTES = ("attributes", "excludedAttributes")
# Each is looked up in each resource, and in all that it lists; there are fewer than this.
_MOST_ATTRIBUTES, _LONGEST_ATTRIBUTE = 30, 200
_DEEPEST = 20
_MOST_PARTS = 60_000  # a group of ten thousand members, with what directories say beside their ids
_COMPLETED = {name.lower(): name for name in ("active", "emails", "userName")}  # capitals do not count

_TAKEN = "Somebody else used this name or id a moment ago."

Answer = Callable[..., HttpResponse]
_Kind = tuple[Callable[[str | None], QuerySet[Any]], Callable[[Any, str], list[Any]]]
_USERS: tuple[_Kind, ...] = ((queries.find_users, queries.users),)
_GROUPS: tuple[_Kind, ...] = ((queries.find_groups, queries.groups),)


def _endpoint(**methods: Answer) -> Answer:
    """One address with its methods. Whatever goes wrong is told in SCIM's error schema."""

    @csrf_exempt  # by bearer token alone: the middleware found the principal, cookies do not count here
    @requires(GET=_READ, POST=_WRITE, PUT=_WRITE, PATCH=_WRITE, DELETE=_WRITE)
    @wraps(next(iter(methods.values())))
    def answer(request: HttpRequest, *arguments: Any, **names: Any) -> HttpResponse:
        method = methods.get("GET" if request.method == "HEAD" else request.method or "")
        if method is None:
            response = scim_error(405, "This address does not know the method.")
            response["Allow"] = ", ".join(methods)
            return response
        try:
            decision = ratelimit.check_credential(principal_of(request).credential)
            ratelimit.tell(request, ratelimit.Policy("default", settings.API_REQUESTS_PER_MINUTE), decision)
            if not decision.is_allowed:
                raise RateLimited("Too many requests.", retry_after_seconds=decision.retry_after_seconds)
            _refuse_repeated(request)
            with LENIENT, transaction.atomic():
                if request.method not in ("GET", "HEAD") and method not in _READING:
                    _begin_change(request)
                return method(request, *arguments, **names)
        except tokens.BadToken:
            return scim_error(
                401, "This token has just been revoked, or was given another secret. Nothing was done."
            )
        except SCIMException as error:
            return scim_error(error.status, _plain(error.detail), error.scim_type)
        except ValidationError as error:
            return _invalid(error)
        except DomainError as error:
            return _broken_rule(error)
        except OperationalError as error:
            if isinstance(busy := as_rule(error), DomainError):
                return _broken_rule(busy)
            raise
        except IntegrityError:
            return scim_error(409, _TAKEN, "uniqueness")

    return answer


def _begin_change(request: HttpRequest) -> None:
    """Before anything is read: of two requests with one ETag, one counts, and a PATCH changes what is there now. The token,
    and whoever answers for it, may have ended while the request waited. Raises BadToken.
    """
    granting.one_change_at_a_time(organisation().pk)
    tokens.principal_of_token(request)


def _refuse_repeated(request: HttpRequest) -> None:
    """A filter given twice would be one of two, and nobody could say which."""
    if repeated := sorted(name for name, values in request.GET.lists() if len(values) > 1):
        raise InvalidSyntaxException(detail=f"Give each query parameter once: {', '.join(repeated)[:200]}.")


# -- what the service is -------------------------------------------------------------------------------------


def _config(request: HttpRequest) -> HttpResponse:
    return _json(request, CONFIG.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE))


def _resource_types(request: HttpRequest) -> HttpResponse:
    _refuse_filter(request)
    return _list(request, ListResponse[ResourceType], list(PROVIDER.resource_types), 1, None)


def _resource_type(request: HttpRequest, name: str) -> HttpResponse:
    found = next((one for one in PROVIDER.resource_types if one.id == name), None)
    if found is None:
        raise NotFoundException(detail="There is no such resource type.")
    return _json(request, found.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE))


def _schemas(request: HttpRequest) -> HttpResponse:
    _refuse_filter(request)
    return _list(request, ListResponse[Schema], list(PROVIDER.schemas), 1, None)


def _schema(request: HttpRequest, name: str) -> HttpResponse:
    found = next((one for one in PROVIDER.schemas if one.id == name), None)
    if found is None:
        raise NotFoundException(detail="There is no such schema.")
    return _json(request, found.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE))


def _refuse_filter(request: HttpRequest) -> None:
    """RFC 7644 §4: answers to a filter here would tell a client less than it needs."""
    if request.GET.get("filter"):
        raise _Refused(detail="This address takes no filter.")


class _Refused(SCIMException):
    status = 403


# -- users ---------------------------------------------------------------------------------------------------


def _user_list(request: HttpRequest) -> HttpResponse:
    return _found(request, request.GET, _USERS)


def _user_search(request: HttpRequest) -> HttpResponse:
    return _found(request, _search(request), _USERS)


def _user_create(request: HttpRequest) -> HttpResponse:
    wanted = _read_user(request, Context.RESOURCE_CREATION_REQUEST, active=True)
    _refuse_to_give(request)
    return _user(request, services.create_user(wanted), Context.RESOURCE_CREATION_RESPONSE, status=201)


def _user_get(request: HttpRequest, user_id: str) -> HttpResponse:
    return _user(request, queries.membership(user_id), Context.RESOURCE_QUERY_RESPONSE)


def _user_put(request: HttpRequest, user_id: str) -> HttpResponse:
    membership, before = _matched_user(request, user_id)
    _parameters(request.GET)  # what is wrong with the query is told before anything is done

    def wanted() -> User:
        return _read_user(request, Context.RESOURCE_REPLACEMENT_REQUEST, active=before.active)

    return _user(request, _changed(request, membership, wanted), Context.RESOURCE_REPLACEMENT_RESPONSE)


def _user_patch(request: HttpRequest, user_id: str) -> HttpResponse:
    membership, resource = _matched_user(request, user_id)
    _parameters(request.GET)

    def wanted() -> User:
        patching.patch_user(resource, _body(request))
        return resource

    return _user(request, _changed(request, membership, wanted), Context.RESOURCE_PATCH_RESPONSE)


def _user_delete(request: HttpRequest, user_id: str) -> HttpResponse:
    membership, _ = _matched_user(request, user_id)
    services.delete_user(membership)
    return HttpResponse(status=204)


def _changed(request: HttpRequest, membership: Membership, wanted: Callable[[], User]) -> Membership:
    """The member as the directory wants it. Who is deactivated loses access in any case, also where the rest is refused."""
    content = _content(request)
    try:
        return services.change_user(membership, wanted(), may_give=_may_give(request))
    except (SCIMException, ValidationError, DomainError, IntegrityError) as refused:
        is_off = (
            dialects.patch_deactivates(content) if request.method == "PATCH" else dialects.is_off(content)
        )
        ended = services.end_access_alone(membership, refused=_reason(refused)) if is_off else None
        if ended is None:
            raise
        return ended


def _reason(refused: Exception) -> str:
    """Why a request was refused, in a line for the audit log."""
    if isinstance(refused, SCIMException):
        return _plain(refused.detail or "")[:500]
    if isinstance(refused, ValidationError):
        return _first_problem(refused)[0][:500]
    return _TAKEN if isinstance(refused, IntegrityError) else str(refused)[:500]


def _read_user(request: HttpRequest, context: Context, *, active: bool | None) -> User:
    """A user as sent. An absent switch turns nobody on or off, and a user name that is an address needs no other."""
    sent = {_COMPLETED.get(key.lower(), key): value for key, value in _body(request).items()}
    body = {"active": active, **sent}
    if body["active"] is None:
        body["active"] = active
    if not body.get("emails") and "@" in str(body.get("userName", "")):
        body["emails"] = [{"value": body["userName"], "type": "work", "primary": True}]
    return User.model_validate(body, scim_ctx=context)


def _matched_user(request: HttpRequest, user_id: str) -> tuple[Membership, User]:
    membership = queries.membership(user_id)
    [resource] = queries.users([membership], _base(request))
    _check_match(request, resource)
    return membership, resource


def _user(
    request: HttpRequest, membership: Membership, context: Context, *, status: int = 200
) -> HttpResponse:
    [resource] = queries.users([membership], _base(request))
    return _resource(request, resource, context, _parameters(request.GET), status)


# -- groups --------------------------------------------------------------------------------------------------


def _group_list(request: HttpRequest) -> HttpResponse:
    return _found(request, request.GET, _GROUPS)


def _group_search(request: HttpRequest) -> HttpResponse:
    return _found(request, _search(request), _GROUPS)


def _group_create(request: HttpRequest) -> HttpResponse:
    wanted = Group.model_validate(_body(request), scim_ctx=Context.RESOURCE_CREATION_REQUEST)
    _refuse_to_give(request)
    return _group(request, services.create_group(wanted), Context.RESOURCE_CREATION_RESPONSE, status=201)


def _group_get(request: HttpRequest, group_id: str) -> HttpResponse:
    return _group(request, queries.group(group_id), Context.RESOURCE_QUERY_RESPONSE)


def _group_put(request: HttpRequest, group_id: str) -> HttpResponse:
    group, _ = _matched_group(request, group_id)
    wanted = Group.model_validate(_body(request), scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST)
    _refuse_to_give(request)
    return _group(request, services.change_group(group, wanted), Context.RESOURCE_REPLACEMENT_RESPONSE)


def _group_patch(request: HttpRequest, group_id: str) -> HttpResponse:
    group, resource = _matched_group(request, group_id)
    patching.patch_group(resource, _body(request))
    _refuse_to_give(request)
    return _group(request, services.change_group(group, resource), Context.RESOURCE_PATCH_RESPONSE)


def _group_delete(request: HttpRequest, group_id: str) -> HttpResponse:
    group, _ = _matched_group(request, group_id)
    _refuse_to_give(request)
    services.delete_group(group)
    return HttpResponse(status=204)


def _matched_group(request: HttpRequest, group_id: str) -> tuple[models.Group, Group]:
    group = queries.group(group_id)
    [resource] = queries.groups([group], _base(request))
    _check_match(request, resource)
    return group, resource


def _group(request: HttpRequest, group: models.Group, context: Context, *, status: int = 200) -> HttpResponse:
    [resource] = queries.groups([group], _base(request))
    return _resource(request, resource, context, _parameters(request.GET), status)


def _nothing(request: HttpRequest, rest: str = "") -> HttpResponse:
    raise NotFoundException(detail="There is nothing here.")


# -- lists ---------------------------------------------------------------------------------------------------


def _search_all(request: HttpRequest) -> HttpResponse:
    return _found(request, _search(request), (*_USERS, *_GROUPS))


def _search(request: HttpRequest) -> dict[str, Any]:
    """What a body of `.search` asks for, as it would stand in a query."""
    body = {name.lower(): value for name, value in _body(request).items()}  # capitals do not count
    lists = {name: body.get(name.lower()) for name in _ATTRIBUTES}
    others = {name: body.get(name.lower()) for name in ("filter", "startIndex", "count")}
    asked = {name: str(value) for name, value in others.items() if value is not None}
    return asked | {
        name: ",".join(map(str, value)) for name, value in lists.items() if isinstance(value, list)
    }


def _found(request: HttpRequest, asked: Mapping[str, Any], kinds: tuple[_Kind, ...]) -> HttpResponse:
    """One page of what a filter names, kind after kind. Raises InvalidFilterException when it fits none of them."""
    start, count = _window(asked)
    skip, total = start - 1, 0
    page: list[Any] = []
    problems: list[InvalidFilterException] = []
    for find, show in kinds:
        try:
            rows = find(asked.get("filter"))
        except InvalidFilterException as problem:
            problems.append(problem)
            continue
        size = rows.count()
        page += show(rows[max(0, skip - total) : max(0, skip - total) + count - len(page)], _base(request))
        total += size
    if len(problems) == len(kinds):
        raise problems[0]
    return _list(request, ListResponse[User | Group], page, start, _parameters(asked), total)


# -- parts ---------------------------------------------------------------------------------------------------


def _body(request: HttpRequest) -> Mapping[str, Any]:
    """The body, if it may be taken."""
    content = _content(request)
    _refuse_depth(content, _DEEPEST)
    if patching.parts_of(content) > _MOST_PARTS:
        raise PayloadTooLargeException(
            detail=f"A body has at most {_MOST_PARTS:,} names and entries of lists."
        )
    return content


def _content(request: HttpRequest) -> Mapping[str, Any]:
    """What the body holds, be it deeper, larger or otherwise than may be taken."""
    try:
        content = strict_json.loads(request.body, same=str.lower)  # RFC 7643 §2.1: capitals do not count
    except strict_json.GivenTwice as error:
        raise InvalidSyntaxException(detail=str(error)) from None
    except (ValueError, RecursionError):
        raise InvalidSyntaxException(detail="The body is not JSON.") from None
    if not isinstance(content, dict):
        raise InvalidSyntaxException(detail="The body must be an object.")
    return content


def _refuse_depth(value: Any, left: int) -> None:
    if left == 0:
        raise InvalidSyntaxException(detail=f"The body may be nested {_DEEPEST} deep.")
    if isinstance(value, str) and not texts.is_storable(value):
        raise InvalidValueException(detail="Text must be Unicode without NUL characters.")
    inner = (*value, *value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ()
    for one in inner:
        _refuse_depth(one, left - 1)


def _window(asked: Mapping[str, Any]) -> tuple[int, int]:
    """startIndex (from 1) and count, put right as RFC 7644 §3.4.2.4 says."""
    try:
        start, count = int(asked.get("startIndex", 1)), int(asked.get("count", PAGE))
    except ValueError:
        raise InvalidValueException(detail="startIndex and count are whole numbers.") from None
    return min(max(1, start), 1_000_000_000), min(max(0, count), MOST)


def _parameters(asked: Mapping[str, Any]) -> ResponseParameters[Any]:
    chosen = {name: asked[name] for name in _ATTRIBUTES if asked.get(name)}
    if any(value.count(",") >= _MOST_ATTRIBUTES for value in chosen.values()):
        raise InvalidValueException(detail=f"A request names at most {_MOST_ATTRIBUTES} attributes.")
    if any(len(one) > _LONGEST_ATTRIBUTE for value in chosen.values() for one in value.split(",")):
        raise InvalidValueException(
            detail=f"The name of an attribute has at most {_LONGEST_ATTRIBUTE} characters."
        )
    parameters: ResponseParameters[Any] = ResponseParameters[User | Group].model_validate(chosen)
    return parameters


def _may_give(request: HttpRequest) -> bool:
    """True while somebody is responsible for the token who may do what a directory does."""
    return bool(request.directory_may_give)  # type: ignore[attr-defined]  # set with the principal


def _refuse_to_give(request: HttpRequest) -> None:
    if not _may_give(request):
        raise ForbiddenException(detail=services.NOBODY_RESPONSIBLE)


def _base(request: HttpRequest) -> str:
    return own_address(request, SCIM_PREFIX).rstrip("/")


def _check_match(request: HttpRequest, resource: Any) -> None:
    """If-Match, where a client sends it."""
    wanted = request.headers.get("If-Match", "*")
    tags = {tag.strip() for tag in wanted.split(",")}
    if wanted.strip() != "*" and resource.meta.version not in tags:
        raise PreconditionFailedException(detail="It changed since you read it.")


def _resource(
    request: HttpRequest, resource: Any, context: Context, parameters: ResponseParameters[Any], status: int
) -> HttpResponse:
    tag = resource.meta.version
    if request.method == "GET" and tag in {
        one.strip() for one in request.headers.get("If-None-Match", "").split(",")
    }:
        return HttpResponse(status=304, headers={"ETag": tag})
    content = resource.model_dump(scim_ctx=context, response_parameters=parameters)
    response = _json(request, content, status)
    response["ETag"] = tag
    if status == 201:
        response["Location"] = resource.meta.location
    return response


def _list(
    request: HttpRequest,
    kind: Any,
    found: list[Any],
    start: int,
    parameters: ResponseParameters[Any] | None,
    total: int | None = None,
) -> HttpResponse:
    answer = kind(
        total_results=len(found) if total is None else total,
        start_index=start,
        items_per_page=len(found),
        resources=found,
    )
    content = answer.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=parameters)
    return _json(request, content)


def _json(request: HttpRequest, content: Any, status: int = 200) -> HttpResponse:
    return JsonResponse(content, status=status, content_type=_MEDIA_TYPE)


def _invalid(error: ValidationError) -> HttpResponse:
    """The first problem, with its place; values are not repeated, since they may be anything."""
    sentence, context = _first_problem(error)
    kind = str(context.get("scim_type") or "invalidValue")
    return scim_error(int(context.get("status") or 400), sentence, kind)


def _first_problem(error: ValidationError) -> tuple[str, Mapping[str, Any]]:
    """Place and message of the first problem, and what the library says about it."""
    problem = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg']}" if place else str(problem["msg"]), problem.get("ctx") or {}


def _plain(detail: str) -> str:
    """The library hands on reports of its validator over several lines: the first place and problem of such a one."""
    lines = [line.strip() for line in detail.splitlines()]
    if len(lines) < 3 or "validation error" not in lines[0]:
        return detail
    return f"{lines[1]}: {lines[2].partition(' [type=')[0]}"


def _broken_rule(error: DomainError) -> HttpResponse:
    """A rule of ours. RFC 7644 knows few types, so the sentence has to tell."""
    kinds = {400: "invalidValue", 409: "mutability", 422: "invalidValue"}
    status = 400 if error.http_status == 422 else error.http_status
    response = scim_error(status, str(error), kinds.get(error.http_status, ""))
    if isinstance(error, RateLimited):
        response["Retry-After"] = str(error.retry_after_seconds)
    return response


_READING = (_search_all, _user_search, _group_search)  # by POST
service_provider_config = _endpoint(GET=_config)
resource_types = _endpoint(GET=_resource_types)
resource_type = _endpoint(GET=_resource_type)
schemas = _endpoint(GET=_schemas)
schema = _endpoint(GET=_schema)
users = _endpoint(GET=_user_list, POST=_user_create)
user = _endpoint(GET=_user_get, PUT=_user_put, PATCH=_user_patch, DELETE=_user_delete)
groups = _endpoint(GET=_group_list, POST=_group_create)
group = _endpoint(GET=_group_get, PUT=_group_put, PATCH=_group_patch, DELETE=_group_delete)
search = _endpoint(POST=_search_all)
user_search = _endpoint(POST=_user_search)
group_search = _endpoint(POST=_group_search)
nothing = _endpoint(GET=_nothing, POST=_nothing, PUT=_nothing, PATCH=_nothing, DELETE=_nothing)
