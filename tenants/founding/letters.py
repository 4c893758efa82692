"""The two mails to a founder: plain text, one link each."""

from core.mail import send_mail
from tenants.founding import services
from tenants.founding.models import OrganisationRequest


def mail_proof(row: OrganisationRequest, *, link: str) -> bool:
    """True when it was sent. The name that was typed is left out: it could be an advertisement."""
    hours = services.LINK_LIFE.total_seconds() / 3600
    return send_mail(
        to=row.email,
        subject="Start your organisation on DataSynth",
        text=(
            f"Somebody, probably you, wants to start the organisation “{row.slug}” on DataSynth.\n\n{link}\n\n"
            f"The link works once, for {hours:.0f} hours. If it was not you, ignore it: nothing is made.\n"
        ),
    )


def mail_ready(row: OrganisationRequest, *, address: str) -> bool:
    """True when it was sent."""
    return send_mail(
        to=row.email,
        subject=f"{row.name} is ready on DataSynth",
        text=f"{row.name} is ready. Sign in with this e-mail address and the password that you chose:\n\n{address}\n",
    )
