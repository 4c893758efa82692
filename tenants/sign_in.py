"""Signing in with allauth: e-mail and the password of the membership in the organisation of this host."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.stagekit import clear_login
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from core import audit
from core.errors import Forbidden
from tenants import credentials, granting
from tenants.addresses import local_path
from tenants.mail_addresses import as_kept
from tenants.models import Membership, User
from tenants.people import throttle
from tenants.people.models import PasswordLink
from tenants.people.proof import methods
from tenants.people.sessions import clear_run_out, delete_sessions, note_sign_in, refuse_ended
from tenants.roles import has_ended
from tenants.sso import queries as sso
from tenants.sso.refusals import note_refusal

SESSION_TENANT = "tenant"
BY_SSO = "is_signed_in_by_sso"  # set on the request by tenants.sso.sign_in
_USE_SSO = "Your organisation wants you to sign in with its identity provider, not with a password."
_OUTDATED = "Your password or your second factor was changed a moment ago. Sign in again."
SESSION_ROLE = "role"
_CHECKED = "checked_password"


class MemberBackend(AuthenticationBackend):  # type: ignore[misc]  # allauth is untyped
    """Knows only members of the current organisation: the row policies hide everybody else.

    `user.membership` is the membership, `user.password` its hash, which also signs the session: a changed
    password or a removed or deactivated member ends the session at the next request.
    """

    def get_user(self, user_id: UUID | str) -> User | None:
        membership = Membership.objects.select_related("user").filter(user_id=user_id, is_active=True).first()
        return _at_home(membership.user, membership) if membership and not has_ended(membership) else None

    def _check_password(self, user: User | None, password: str) -> User | None:
        membership = Membership.objects.filter(user=user).first() if user else None
        if user is None or membership is None:
            return None
        self._did_check_password = True
        is_right = check_password(password, membership.password)
        return _at_home(user, membership) if is_right and membership.is_active else None


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is untyped
    """No public sign-up; a session belongs to one organisation; passwords belong to memberships."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def is_safe_url(self, url: str | None) -> bool:
        """Whether one may go on there: to paths of this host. The library's own fails over what is no address."""
        return url is not None and local_path(url) == url

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        email = str(credentials.get("email", ""))
        self._login_failed_rl_usage = throttle.count_sign_in(
            request, email
        )  # allauth rolls it back on success

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        throttle.note_failed_sign_in(request, str(credentials.get("email", "")))

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Whose time is over, or who must use the identity provider, is told so, but only with the right password."""
        kept = as_kept(str(credentials.pop("email", "")))
        user: User | None = super().authenticate(request, email=kept, **credentials)
        if user is not None and has_ended(user.membership):  # type: ignore[attr-defined]
            raise ValidationError(_ended(user.membership))  # type: ignore[attr-defined]
        if user is not None and sso.refuses_password(user.membership):  # type: ignore[attr-defined]
            note_refusal(f"a password of {user.email}: single sign-on is enforced")
            raise ValidationError(_USE_SSO)
        if user is not None:
            note_password(request, user)
        return user

    def login(self, request: HttpRequest, user: User) -> None:
        """The last step, after any second factor, whatever came before it.

        Nobody changes the member until the session is stored: who ends sessions next finds it. Raises Forbidden when the
        membership, the password or the need of a factor changed in the meantime, or they must come in another way.
        """
        tenant = request.tenant  # type: ignore[attr-defined]  # set by the tenant middleware
        with transaction.atomic():
            granting.no_change_meanwhile(tenant.pk)
            membership = Membership.objects.select_related("user").filter(user=user, is_active=True).first()
            if membership is None:
                raise Forbidden("You are no member of this organisation, or an admin has ended your access.")
            if has_ended(membership):
                raise Forbidden(_ended(membership))
            breaks_glass = sso.must_use_sso(membership) and not getattr(request, BY_SSO, False)
            if breaks_glass and (sso.refuses_password(membership) or "mfa" not in methods(request.session)):
                raise Forbidden(_USE_SSO)
            person = _at_home(user, membership)
            if not getattr(request, BY_SSO, False):
                _refuse_outdated(request, person)
            if SESSION_KEY in request.session:  # Django gives whoever is in already no new key
                request.session.cycle_key()
            super().login(request, person)
            request.session[SESSION_TENANT] = str(tenant.pk)
            request.session[SESSION_ROLE] = membership.role
            note_sign_in(request)
            request.session.save()
            Membership.objects.filter(user=user).update(last_sign_in_at=timezone.now())
            if breaks_glass:
                audit.record(actor=user.email, action="sso.break_glass.sign_in", target=user)
            else:
                audit.record(actor=user.email, action="tenants.member.sign_in", target=user)
        clear_run_out(tenant)

    def logout(self, request: HttpRequest) -> None:
        user: Any = request.user
        with transaction.atomic():
            super().logout(request)
            audit.record(actor=user.email, action="tenants.member.sign_out", target=user)

    def set_password(self, user: User, password: str) -> None:
        """Raises Forbidden when the password or the session that it was checked in has ended in the meantime."""
        known = user.get_session_auth_hash()
        user.set_password(password)
        with transaction.atomic():
            granting.one_change_at_a_time(_membership(user).tenant_id)
            now = MemberBackend().get_user(user.pk)
            if now is None or now.get_session_auth_hash() != known:
                raise Forbidden("Your password has just been changed elsewhere. Nothing was done.")
            refuse_ended(self.request.session)
            Membership.objects.filter(user=user).update(password=user.password)
            PasswordLink.objects.filter(
                membership_id=_membership(user).pk
            ).delete()  # somebody else may have one
            credentials.end_links_of_sessions(_membership(user))
            delete_sessions([user.pk], but=self.request.session.session_key)
            audit.record(actor=user.email, action="tenants.member.change_password", target=user)


def note_password(request: HttpRequest, user: User) -> None:
    """Remember which password was right, until the sign-in is complete: by then it may be another one."""
    request.session[_CHECKED] = user.get_session_auth_hash()


def refuse_old_password(request: HttpRequest, user: User) -> None:
    """End a sign-in whose first step knew another password than there is: it tries no factor of the person any more.

    Raises Forbidden.
    """
    person = MemberBackend().get_user(user.pk)
    checked = str(request.session.get(_CHECKED, ""))
    if person is not None and not constant_time_compare(checked, person.get_session_auth_hash()):
        clear_login(request)
        raise Forbidden(_OUTDATED)


def _refuse_outdated(request: HttpRequest, user: User) -> None:
    """Raises Forbidden when the password that was right at the first step is another one now, or a factor is needed by now."""
    checked = str(request.session.pop(_CHECKED, ""))
    needs_factor = is_mfa_enabled(user, [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN])
    if not constant_time_compare(checked, user.get_session_auth_hash()) or (
        needs_factor and "mfa" not in methods(request.session)
    ):
        raise Forbidden(_OUTDATED)


def _membership(user: User) -> Membership:
    """What a person who signed in here is in this organisation."""
    return user.membership  # type: ignore[attr-defined, no-any-return]  # set by `_at_home`


def _ended(membership: Membership) -> str:
    last = membership.role_until - timedelta(microseconds=1)  # type: ignore[operator]  # it has one, and has ended
    day = f"{last:%-d %B %Y}"
    role = membership.role_name.lower()
    return f"Your access as {role} ended on {day}. An admin of this organisation can give it a new end date."


def _at_home(user: User, membership: Membership) -> User:
    """The person with what they are in this organisation."""
    user.password = membership.password  # type: ignore[assignment]
    user.membership = membership  # type: ignore[attr-defined]
    return user
