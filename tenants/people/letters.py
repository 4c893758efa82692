"""The few mails of this platform: plain text, one link each."""

from core.mail import send_mail
from tenants.models import Membership
from tenants.people import invitations, passwords, throttle
from tenants.people.models import Invitation


def mail_invitation(row: Invitation, *, organisation: str, link: str) -> bool:
    """True when it was sent. Over the limit it is not: the words are the organisation's, and whoever gets it asked for nothing."""
    return throttle.may_mail_invitation(row.email) and send_mail(
        to=row.email,
        subject=f"Join {_one_line(organisation)} on DataSynth",
        text=(
            f"{row.invited_by} invites you to {organisation} on DataSynth.\n\n{link}\n\n"
            f"The link works once, for {invitations.LIFETIME.days} days. If you do not expect this, ignore it.\n"
        ),
    )


def mail_password_link(member: Membership, *, organisation: str, link: str) -> bool:
    """To who asked on the page of sign-in. True when it was sent."""
    asked = f"Somebody, probably you, asked for a new password at {organisation} on DataSynth."
    return _mail_password_link(
        member, organisation, link, asked, "If it was not you, ignore it: nothing has changed."
    )


def mail_given_password_link(member: Membership, *, organisation: str, link: str) -> bool:
    """To a member for whom somebody else made the link. True when it was sent; over the limit it is not."""
    if not throttle.may_mail_link(member):
        return False
    given = f"An administrator of {organisation} on DataSynth sends you a link to choose a new password."
    return _mail_password_link(
        member, organisation, link, given, "Your password stays until you choose another one with it."
    )


def _mail_password_link(member: Membership, organisation: str, link: str, why: str, what_else: str) -> bool:
    hours = passwords.LIFETIME.total_seconds() / 3600
    return send_mail(
        to=member.user.email,
        subject=f"New password for {_one_line(organisation)} on DataSynth",
        text=f"{why}\n\n{link}\n\nThe link works once, for {hours:.0f} hours. {what_else}\n",
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
