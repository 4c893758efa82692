"""Second factors of a membership: authenticator apps (TOTP), security keys (WebAuthn), recovery codes.

allauth.mfa keeps the rows and does the arithmetic; the rows live in the organisation's schema, because factors
belong to the membership as its password does (ADR 0009). Secrets are sealed.
"""

import struct
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.account.internal.flows.login import record_authentication
from allauth.core import context
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa import app_settings as mfa
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret, validate_totp_code
from allauth.mfa.webauthn.forms import AuthenticateWebAuthnForm
from allauth.mfa.webauthn.internal import auth as webauthn
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.forms import HiddenInput
from django.http import HttpRequest

from core import audit
from core.errors import Conflict, Forbidden, InvalidInput, NotFound
from core.form_fields import StrictJSONField
from core.locks import one_at_a_time
from core.permissions import Principal
from core.secrets import Unsealable, seal, unseal
from core.tenancy import current_schema
from tenants import credentials, granting, queries, standing
from tenants.models import Membership, User
from tenants.people import proof, throttle
from tenants.people.factor_queries import has_factor
from tenants.people.person import membership_of
from tenants.people.sessions import delete_sessions, refuse_ended
from tenants.roles import Role
from tenants.sso import glass

_SEALED_AS = "mfa/factor"
_PENDING = "pending_totp"
_MAXIMAL_KEYS = 10
_UNREADABLE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,  # or CBOR that is nested too deeply
    TypeError,
    ValueError,
    struct.error,
)  # what fido2 makes of a credential that is none
Kind = Authenticator.Type


@dataclass(frozen=True, slots=True)
class Factor:
    """One second factor as its owner and admins see it."""

    id: int
    kind: str
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Factors:
    """Everything that somebody may use besides the password."""

    main: tuple[Factor, ...]
    codes_left: int | None  # None: no recovery codes

    @property
    def has_app(self) -> bool:
        return any(factor.kind == Kind.TOTP for factor in self.main)

    @property
    def has_key(self) -> bool:
        return any(factor.kind == Kind.WEBAUTHN for factor in self.main)


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth is untyped
    """How allauth.mfa keeps secrets and names this organisation."""

    def encrypt(self, text: str) -> str:
        return b64encode(seal(current_schema(), _SEALED_AS, text.encode())).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return unseal(current_schema(), _SEALED_AS, b64decode(encrypted_text)).decode()

    def get_totp_issuer(self) -> str:
        return f"DataSynth {queries.organisation().name}".replace(":", " ")

    def _get_site_name(self) -> str:
        return str(queries.organisation().name)


class CodeForm(AuthenticateForm):  # type: ignore[misc]  # allauth is untyped
    """allauth's form of the second step of signing in; a code of an app counts once as long as it is valid."""

    def clean_code(self) -> str:
        """Raises RateLimited, Unsealable. The library's own would stop at a factor that does not open."""
        is_recovery = len(normalize_user_code(self.cleaned_data["code"])) == settings.MFA_RECOVERY_CODE_DIGITS
        count = throttle.count_recovery_code if is_recovery else throttle.count_app_code
        counted = count(context.request, self.user)
        code = str(self.cleaned_data["code"])
        try:
            row = _row_that_takes(self.user, code)
        except Unsealable:  # nobody tried anything
            counted.rollback()
            raise
        if row is None or not _is_first_use(row, code):
            if (main := _with_codes(self.user).first()) is not None:
                self._emit_authentication_failed(main)
            raise FactorAdapter().validation_error("incorrect_code")
        row.user = self.user
        self.authenticator = row
        counted.rollback()
        return code


class KeyForm(AuthenticateWebAuthnForm):  # type: ignore[misc]  # allauth is untyped
    """allauth's form of the second step of signing in, which fails over a credential that is none."""

    credential = StrictJSONField(widget=HiddenInput)

    def clean_credential(self) -> Authenticator:
        """Raises RateLimited."""
        counted = throttle.count_key_answer(context.request)
        try:
            with _readable_or(FactorAdapter().validation_error("incorrect_code")):
                authenticator = super().clean_credential()
        except ValidationError:
            throttle.note_failed_factor(context.request, self.user)
            raise
        counted.rollback()
        return authenticator


# -- what is known -------------------------------------------------------------------------------------------


def factors_of(user_id: UUID | str) -> Factors:
    """A person's factors in this organisation, the oldest first."""
    rows = list(Authenticator.objects.filter(user_id=user_id).order_by("pk"))
    codes = next((row for row in rows if row.type == Kind.RECOVERY_CODES), None)
    return Factors(
        tuple(_factor(row) for row in rows if row.type != Kind.RECOVERY_CODES),
        _codes_left(codes) if codes else None,
    )


def _codes_left(row: Authenticator) -> int:
    """Counted without opening them: who looks at factors needs none of their secrets."""
    if (carried_over := row.data.get("migrated_codes")) is not None:
        return len(carried_over)
    return int(mfa.RECOVERY_CODE_COUNT) - int(row.data["used_mask"]).bit_count()


def _factor(row: Authenticator) -> Factor:
    name = row.wrap().name if row.type == Kind.WEBAUTHN else "Authenticator app"
    return Factor(row.pk, row.type, name, row.created_at, row.last_used_at)


# -- authenticator app ---------------------------------------------------------------------------------------


def pending_secret(request: HttpRequest, *, renew: bool) -> str:
    """The secret that is being set up in this session; it counts only once a code proved that the app has it."""
    adapter = FactorAdapter()
    kept = request.session.get(_PENDING)
    if kept is not None and not renew:
        with suppress(Unsealable):  # it is not in use yet, so that another one does as well
            return str(adapter.decrypt(kept))
    kept = request.session[_PENDING] = adapter.encrypt(generate_totp_secret())
    return str(adapter.decrypt(kept))


def picture(user: User, secret: str) -> str:
    """A QR code as an SVG element, drawn here: the secret goes to nobody else."""
    adapter = FactorAdapter()
    svg = adapter.build_totp_svg(adapter.build_totp_url(user, secret))
    return str(svg[svg.index("<svg") :])


def add_app(request: HttpRequest, user: User, code: str) -> list[str]:
    """Take the pending secret into use; new recovery codes when there were none. Other sessions end.

    Raises: InvalidInput, RateLimited, Conflict; Forbidden in a session that showed no factor of those there are.
    """
    _refuse_unproved(request.session, user)
    counted = throttle.count_confirmation(user)
    secret = pending_secret(request, renew=False)
    if not validate_totp_code(secret, code):
        raise InvalidInput("This is not the code that the app shows now. Codes change every 30 seconds.")
    counted.rollback()
    with transaction.atomic():
        _before_sign_ins(user)
        try:
            with transaction.atomic():
                row = TOTP.activate(user, secret).instance
        except IntegrityError:
            raise Conflict("There is an authenticator app already. Remove it first.") from None
        codes = _added(request, user, row)
    del request.session[_PENDING]
    _is_first_use(row, code)
    return codes


def _is_first_use(row: Authenticator, code: str) -> bool:
    """Use up an app's code for as long as it is valid. allauth remembers one for a period, but takes it for three."""
    if row.type != Kind.TOTP:
        return True  # recovery codes are struck off by allauth
    valid_seconds = settings.MFA_TOTP_PERIOD * (1 + 2 * settings.MFA_TOTP_TOLERANCE)
    return bool(cache.add(f"used-code/{row.pk}/{normalize_user_code(code)}", "", timeout=valid_seconds))


# -- security keys -------------------------------------------------------------------------------------------


def key_options(user: User) -> dict[str, Any]:
    """What the browser needs to make a credential for this site."""
    return dict(webauthn.begin_registration(user, passwordless=False))


def add_key(request: HttpRequest, user: User, *, name: str, credential: Any) -> list[str]:
    """Add a security key; new recovery codes when there were none. Other sessions end.

    Raises: InvalidInput, Conflict; Forbidden in a session that showed no factor of those there are.
    """
    _refuse_unproved(request.session, user)
    wrong = InvalidInput("The security key gave no valid answer. Try again.")
    with _readable_or(wrong):
        webauthn.parse_registration_response(credential)
        webauthn.complete_registration(credential)
    with transaction.atomic():
        _before_sign_ins(user)
        _alone(user.pk)
        if Authenticator.objects.filter(user=user, type=Kind.WEBAUTHN).count() >= _MAXIMAL_KEYS:
            raise Conflict(f"There are {_MAXIMAL_KEYS} security keys already. Remove one first.")
        row = webauthn.WebAuthn.add(user, name.strip() or "Security key", credential).instance
        return _added(request, user, row)


# -- recovery codes ------------------------------------------------------------------------------------------


def make_recovery_codes(session: Any, user: User) -> list[str]:
    """New codes; the ones before are worth nothing from now on.

    Raises: Conflict without a factor to recover; Forbidden in a session that showed none.
    """
    _refuse_unproved(session, user)
    with transaction.atomic():
        _alone(user.pk)
        if not has_factor(user.pk):
            raise Conflict("Recovery codes stand in for another factor. Set one up first.")
        refuse_ended(session)
        Authenticator.objects.filter(user=user, type=Kind.RECOVERY_CODES).delete()
        codes = RecoveryCodes.activate(user)
        audit.record(actor=user.email, action="tenants.recovery_codes.make", target=user)
        return list(codes.generate_codes())


# -- taking away ---------------------------------------------------------------------------------------------


def remove_factor(session: Any, user: User, factor_id: int) -> Factor:
    """Remove one of one's own factors; the recovery codes go with the last one.

    Raises: NotFound; Conflict when the organisation demands a factor and this is the last; LastBreaker; Forbidden in a
    session that showed none.
    """
    _refuse_unproved(session, user)
    with transaction.atomic():
        granting.one_change_at_a_time(queries.organisation().pk)
        _alone(user.pk)
        mine = Authenticator.objects.filter(user=user).exclude(type=Kind.RECOVERY_CODES)
        row = mine.filter(pk=factor_id).first()
        if row is None:
            raise NotFound
        refuse_ended(session)
        is_last = mine.count() == 1
        if is_last and queries.organisation().mfa_required:
            raise Conflict(
                "Your organisation asks for a second factor. Set up another one before you remove this."
            )
        if is_last:
            glass.refuse_last(queries.members().get(user_id=user.pk))
        factor = _factor(row)
        (Authenticator.objects.filter(user=user) if is_last else mine.filter(pk=factor_id)).delete()
        audit.record(
            actor=user.email, action="tenants.factor.remove", target=user, kind=factor.kind, name=factor.name
        )
    return factor


def reset_factors(*, actor: Principal | str, membership: Membership) -> int:
    """Take all factors and sessions, and links made in them, from a member as an admin; how many factors it were.

    Raises: LastBreaker; Forbidden for oneself, a program, and a member who may do more than the principal.
    """
    granting.refuse_programs(actor)
    if isinstance(actor, Principal) and actor.user_id == str(membership.user_id):
        raise Forbidden("Your own factors are under Profile → Security: to remove one takes a proof by it.")
    with transaction.atomic():
        standing.begin_change(membership.tenant_id, actor)
        granting.refuse_more(actor, queries.member(membership.pk).role)  # which may be another one by now
        glass.refuse_last(queries.member(membership.pk))
        count = delete_factors(membership.user_id)
        sessions = delete_sessions([membership.user_id])
        links = credentials.end_links_of_sessions(membership)
        if count or sessions or links:
            audit.record(
                actor=granting.name_of(actor),
                action="tenants.member.reset_factors",
                target=membership,
                email=membership.user.email,
                factors=count,
                sessions=sessions,
                links=links,
            )
    return count


def who_resets(membership: Membership) -> Role | None:
    """The least of the roles that may reset this member's factors; None when nobody else here may."""
    return None if glass.is_last(membership) else granting.who_helps(membership)


def delete_factors(user_id: UUID) -> int:
    """Part of larger changes, which write the audit event themselves."""
    _alone(user_id)
    return int(Authenticator.objects.filter(user_id=user_id).delete()[0])


# -- proving -------------------------------------------------------------------------------------------------


def confirm_with_code(request: HttpRequest, user: User, code: str) -> None:
    """Renew the session's proof with an app's or a recovery code. Raises InvalidInput, RateLimited, Unsealable."""
    counted = throttle.count_confirmation(user)
    with transaction.atomic():
        _alone(user.pk)  # nobody takes the factor away, or makes new codes, while it is tried
        try:
            row = _row_that_takes(user, code)
        except Unsealable:
            counted.rollback()
            raise
        if row is not None and _is_first_use(row, code):
            counted.rollback()
            _confirmed(request, user, row)
            return
    throttle.note_failed_factor(request, user)
    raise InvalidInput("This code is wrong, or was used already.")


def confirmation_options(user: User) -> dict[str, Any]:
    """What the browser needs to ask a security key."""
    return dict(webauthn.begin_authentication(user))


def confirm_with_key(request: HttpRequest, user: User, credential: Any) -> None:
    """Renew the session's proof with a security key. Raises InvalidInput, RateLimited."""
    counted = throttle.count_confirmation(user)
    try:
        with transaction.atomic():
            _alone(user.pk)
            with _readable_or(InvalidInput("The security key gave no valid answer. Try again.")):
                webauthn.parse_authentication_response(credential)
                row = webauthn.complete_authentication(user, credential)
            counted.rollback()
            _confirmed(request, user, row)
    except InvalidInput:
        throttle.note_failed_factor(request, user)
        raise


def _confirmed(request: HttpRequest, user: User, row: Authenticator) -> None:
    """Part of a transaction."""
    row.record_usage()
    proof.record(request, user, "mfa", id=row.pk, type=row.type)


@contextmanager
def second_step(user: User) -> Iterator[None]:
    """While a sign-in tries a factor: nobody takes it away, makes new codes or changes the member meanwhile, and a code that
    is not taken in the end is not used up.
    """
    with transaction.atomic():
        granting.no_change_meanwhile(queries.organisation().pk)
        _alone(user.pk)
        yield


# -- parts ---------------------------------------------------------------------------------------------------


def _with_codes(user: User) -> "QuerySet[Authenticator]":
    """Factors that codes are typed for, the app first."""
    rows: QuerySet[Authenticator] = Authenticator.objects.filter(user=user).exclude(type=Kind.WEBAUTHN)
    return rows.order_by("-type")


def _row_that_takes(user: User, code: str) -> Authenticator | None:
    """The factor that a code is right for. Raises Unsealable when none of them can be read."""
    rows, shut = list(_with_codes(user)), []
    for row in rows:
        try:
            if row.wrap().validate_code(code):
                return row
        except Unsealable as error:
            shut.append(error)
    if rows and len(shut) == len(rows):
        raise shut[0]
    return None


def _before_sign_ins(user: User) -> None:
    """Whoever is signing in without the new factor is in already, and found among the sessions that end, or is refused."""
    granting.one_change_at_a_time(membership_of(user).tenant_id)


def _added(request: HttpRequest, user: User, row: Authenticator) -> list[str]:
    """A factor that was just shown to work is a proof as well; the session gets a new id.

    All others end, and links that were made in any: they may be somebody's who has the password.
    """
    request.session.cycle_key()
    record_authentication(request, user, method="mfa", id=row.pk, type=row.type)
    ended = delete_sessions([user.pk], but=request.session.session_key)
    links = credentials.end_links_of_sessions(membership_of(user))
    audit.record(
        actor=user.email,
        action="tenants.factor.add",
        target=user,
        kind=row.type,
        name=_factor(row).name,
        sessions=ended,
        links=links,
    )
    kept = Authenticator.objects.filter(user=user, type=Kind.RECOVERY_CODES).first()
    if kept is not None:
        with suppress(Unsealable):  # those that do not open are worth nothing
            kept.wrap().get_unused_codes()
            return []
        kept.delete()
    return list(RecoveryCodes.activate(user).generate_codes())


def _refuse_unproved(session: Any, user: User) -> None:
    """Raises Forbidden for a session that began with a password alone, where there is a factor by now.

    Factors guard against whoever has the password, so they are changed by who showed one, or comes from the provider.
    """
    if has_factor(user.pk) and not proof.STRONG & proof.methods(session):
        raise Forbidden("This browser has not shown your second factor. Sign out and in again, then repeat.")


def _alone(user_id: UUID) -> None:
    """One change of a person's factors at a time, or one try of them."""
    one_at_a_time("factors", user_id)


@contextmanager
def _readable_or(error: Exception) -> Iterator[None]:
    try:
        yield
    except (ValidationError, *_UNREADABLE):
        raise error from None
