"""API v1: invitations, the access of single members, security settings of the organisation."""

from typing import Any
from uuid import UUID

from django.urls import path, reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api import IF_MATCH, matched
from core.bodies import Body, checked_body
from core.idempotency import Unfinished, repeatable
from core.permissions import Permission, principal_of, requires, step_up
from core.versions import etag
from tenants import queries, services
from tenants.addresses import own_address
from tenants.api import RoleField, RoleUntilField
from tenants.people import factors, invitations, letters, passwords, policy, sessions
from tenants.people.models import Invitation


class InvitationOut(serializers.Serializer[Invitation]):
    id = serializers.UUIDField()
    email = serializers.EmailField()
    role = serializers.CharField()
    role_until = serializers.DateTimeField(allow_null=True)
    invited_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    accepted_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)
    lets_in = serializers.SerializerMethodField(
        help_text="Whether its link lets in now: it waits, who made it could still send it, and an auditor’s last day lies ahead."
    )

    def get_lets_in(self, row: Invitation) -> bool:
        return row.is_open and not row.is_expired and row.pk not in self.context["dead"]


class Invite(Body):
    email = serializers.EmailField(max_length=254)
    role = RoleField()
    role_until = RoleUntilField()


class InvitedOut(InvitationOut):
    link = serializers.CharField(help_text="Hand it to the person. Shown this once.")
    is_mailed = serializers.BooleanField(help_text="True when the platform sent the link by mail, too.")


class PasswordLinkOut(serializers.Serializer[Any]):
    link = serializers.CharField(help_text="Sets a new password once within 24 hours. Shown this once.")
    is_mailed = serializers.BooleanField()


class SecuritySettingsOut(serializers.Serializer[Any]):
    mfa_required = serializers.BooleanField()
    session_idle_minutes = serializers.IntegerField()
    session_hours = serializers.IntegerField()
    invitation_domains = serializers.ListField(child=serializers.CharField())


class ChangeSecurity(Body):
    mfa_required = serializers.BooleanField(required=False)
    session_idle_minutes = serializers.IntegerField(
        required=False, min_value=policy.IDLE_MINUTES[0], max_value=policy.IDLE_MINUTES[1]
    )
    session_hours = serializers.IntegerField(
        required=False, min_value=policy.SESSION_HOURS[0], max_value=policy.SESSION_HOURS[1]
    )
    invitation_domains = serializers.ListField(
        child=serializers.CharField(max_length=253), required=False, max_length=policy.MAXIMAL_DOMAINS
    )


def _organisation(request: Request) -> str:
    return str(request._request.tenant.name)  # type: ignore[attr-defined]  # set by the tenant middleware


def _shown(rows: Any) -> Any:
    return InvitationOut(rows, many=True, context={"dead": invitations.dead_among(rows)}).data


def _invited(request: Request, invited: invitations.Invited) -> Response:
    row = invited.invitation
    link = own_address(request._request, reverse("join", args=[invited.token]))

    def mailed() -> dict[str, bool]:
        organisation = _organisation(request)
        return {"is_mailed": letters.mail_invitation(row, organisation=organisation, link=link)}

    return Unfinished({**_shown([row])[0], "link": link}, mailed, status.HTTP_201_CREATED)


@step_up("POST")
@requires(GET=Permission.MEMBERS_WRITE, POST=Permission.MEMBERS_WRITE)
class InvitationList(GenericAPIView[Invitation]):
    serializer_class = InvitationOut

    @extend_schema(operation_id="invitations_list", responses=InvitationOut(many=True))
    def get(self, request: Request) -> Response:
        """All invitations, the accepted, revoked and expired ones too."""
        page: Any = self.paginate_queryset(invitations.invitations())
        return self.get_paginated_response(_shown(page))

    @extend_schema(operation_id="invitations_send", request=Invite, responses={201: InvitedOut})
    @repeatable(shows_secret=True)
    def post(self, request: Request) -> Response:
        """Invite a person, with at most your own permissions. They choose their password with the link."""
        invited = invitations.invite(principal=principal_of(request), **checked_body(Invite, request))
        return _invited(request, invited)


@step_up("DELETE")
@requires(GET=Permission.MEMBERS_WRITE, DELETE=Permission.MEMBERS_WRITE)
class InvitationDetail(GenericAPIView[Invitation]):
    serializer_class = InvitationOut

    @extend_schema(operation_id="invitations_read")
    def get(self, request: Request, invitation_id: UUID) -> Response:
        return Response(_shown([invitations.invitation(invitation_id)])[0])

    @extend_schema(operation_id="invitations_revoke", responses={204: None})
    def delete(self, request: Request, invitation_id: UUID) -> Response:
        """Revoke it: the link opens nothing any more."""
        found = invitations.invitation(invitation_id)
        invitations.revoke(principal=principal_of(request), invitation=found)
        return Response(status=status.HTTP_204_NO_CONTENT)


@step_up("POST")
@requires(POST=Permission.MEMBERS_WRITE)
class InvitationRenewal(APIView):
    @extend_schema(operation_id="invitations_renew", request=None, responses={201: InvitedOut})
    @repeatable(shows_secret=True)
    def post(self, request: Request, invitation_id: UUID) -> Response:
        """A new link with seven new days; the one before ends."""
        found = invitations.invitation(invitation_id)
        return _invited(request, invitations.renew(principal=principal_of(request), invitation=found))


@step_up("POST")
@requires(POST=Permission.MEMBERS_WRITE)
class MemberPasswordLink(APIView):
    @extend_schema(operation_id="members_password_link", request=None, responses={201: PasswordLinkOut})
    @repeatable(shows_secret=True)
    def post(self, request: Request, member_id: UUID) -> Response:
        """A link for a member who lost the password; an earlier one ends. For people in a session; keys and tokens get 403."""
        member = queries.member(member_id)
        token = passwords.make_link(actor=principal_of(request), membership=member)
        link = own_address(request._request, reverse("password-new", args=[token]))

        def mailed() -> dict[str, bool]:
            organisation = _organisation(request)
            return {
                "is_mailed": letters.mail_given_password_link(member, organisation=organisation, link=link)
            }

        return Unfinished({"link": link}, mailed, status.HTTP_201_CREATED)


@requires(DELETE=Permission.MEMBERS_WRITE)
class MemberSessions(APIView):
    @extend_schema(operation_id="members_end_sessions", responses={204: None})
    def delete(self, request: Request, member_id: UUID) -> Response:
        """End all browser sessions of a member."""
        sessions.end_sessions_of(actor=principal_of(request), membership=queries.member(member_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


@step_up("DELETE")
@requires(DELETE=Permission.MEMBERS_WRITE)
class MemberFactors(APIView):
    @extend_schema(operation_id="members_reset_factors", responses={204: None})
    def delete(self, request: Request, member_id: UUID) -> Response:
        """Take all second factors and sessions from a member who lost the factors. For people in a session; keys and tokens get 403."""
        factors.reset_factors(actor=principal_of(request), membership=queries.member(member_id))
        return Response(status=status.HTTP_204_NO_CONTENT)


@step_up("POST", "DELETE")
@requires(POST=Permission.MEMBERS_WRITE, DELETE=Permission.MEMBERS_WRITE)
class MemberDeactivation(APIView):
    @extend_schema(operation_id="members_deactivate", request=None, responses={204: None})
    def post(self, request: Request, member_id: UUID) -> Response:
        """The member may no longer sign in; sessions and API keys end. What they made stays."""
        services.end_access(queries.member(member_id), actor=principal_of(request), reason="api")
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(operation_id="members_activate", responses={204: None})
    def delete(self, request: Request, member_id: UUID) -> Response:
        """The member may sign in again."""
        services.give_access(queries.member(member_id), actor=principal_of(request), reason="api")
        return Response(status=status.HTTP_204_NO_CONTENT)


@step_up("PATCH")
@requires(GET=Permission.SECURITY_READ, PATCH=Permission.SECURITY_WRITE)
class SecuritySettings(APIView):
    @extend_schema(operation_id="security_settings_read", responses=SecuritySettingsOut)
    def get(self, request: Request) -> Response:
        return self._answer(policy.security_settings())

    @extend_schema(
        operation_id="security_settings_change",
        request=ChangeSecurity,
        responses=SecuritySettingsOut,
        parameters=[IF_MATCH],
    )
    def patch(self, request: Request) -> Response:
        """Change some of them (If-Match needed); they count from the next request on.

        That a second factor is needed ends by a person's session alone.
        """
        check = matched(request, etag, is_needed=True)
        changes = checked_body(ChangeSecurity, request)
        chosen = policy.change_security(principal=principal_of(request), changes=changes, check=check)
        return self._answer(chosen)

    def _answer(self, chosen: dict[str, Any]) -> Response:
        return Response(SecuritySettingsOut(chosen).data, headers={"ETag": etag(chosen)})


urlpatterns = [
    path("invitations", InvitationList.as_view(), name="api_invitations"),
    path("invitations/<uuid:invitation_id>", InvitationDetail.as_view(), name="api_invitation"),
    path(
        "invitations/<uuid:invitation_id>/renewal", InvitationRenewal.as_view(), name="api_invitation_renewal"
    ),
    path(
        "members/<uuid:member_id>/password-link",
        MemberPasswordLink.as_view(),
        name="api_member_password_link",
    ),
    path("members/<uuid:member_id>/sessions", MemberSessions.as_view(), name="api_member_sessions"),
    path("members/<uuid:member_id>/factors", MemberFactors.as_view(), name="api_member_factors"),
    path(
        "members/<uuid:member_id>/deactivation", MemberDeactivation.as_view(), name="api_member_deactivation"
    ),
    path("security-settings", SecuritySettings.as_view(), name="api_security_settings"),
]
