"""What goes wrong between the browser, the identity provider and us."""

from core import texts
from core.errors import DomainError

NOT_SET_UP = (
    "Single sign-on of your organisation is not set up completely. An admin has to set the provider again."
)


class SsoRefused(DomainError):
    """A message of the identity provider, or what follows from it, is not accepted.

    The message is what the person sees. `reason` is for the audit trail and for the test sign-in of an admin.
    """

    code = "sso_refused"
    http_status = 403
    title = "Sign-in refused"

    def __init__(self, reason: str, *, shown: str = "") -> None:
        super().__init__(
            shown or "The answer of your identity provider was not accepted. Go back and sign in again."
        )
        self.reason = texts.storable(reason)  # it may quote what a stranger sent
