"""Errors that a user can cause. Each surface (API, pages) answers them in one place; all else is a bug."""

from collections.abc import Mapping, Sequence
from typing import Any


class DomainError(Exception):
    """A rule of the product was broken. The message is safe to show and states the rule and the value.

    `errors` lists every single problem, each a mapping with `detail` and a place: `pointer` (JSON pointer into
    the request's body), `parameter`, or `path` and `line` of a config.
    """

    code = "domain_error"
    http_status = 400
    title = "The request cannot be carried out"

    def __init__(self, message: str, *, errors: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(message)
        self.errors = tuple(dict(error) for error in errors)


class InvalidInput(DomainError):
    """A value is outside its range, or values contradict each other."""

    code = "invalid_input"
    http_status = 422
    title = "Invalid input"


class NotFound(DomainError):
    """No such object in this organisation."""

    code = "not_found"
    http_status = 404
    title = "Not found"

    def __init__(self, message: str = "There is nothing here.") -> None:
        super().__init__(message)


class Forbidden(DomainError):
    """The role does not allow it."""

    code = "forbidden"
    http_status = 403
    title = "Not allowed"


class StepUpRequired(Forbidden):
    """The session's last proof of the person is too old for this; sign-in or /me/confirm renews it."""

    code = "step_up_required"
    title = "Confirm that it is you"

    def __init__(self) -> None:
        super().__init__(
            "This needs a fresh proof that it is you: open /me/confirm in the browser, then repeat."
        )


class SecondFactorRequired(Forbidden):
    """The organisation asks everybody for a second factor and the session has not shown one."""

    code = "second_factor_required"
    title = "Second factor required"

    def __init__(self) -> None:
        super().__init__("Your organisation asks for a second factor: open /me/second-factor in the browser.")


class Conflict(DomainError):
    """The object is in a state that does not allow it."""

    code = "conflict"
    http_status = 409
    title = "Conflict with the present state"


class QuotaExceeded(DomainError):
    """More than the organisation may use; waiting does not help, unlike with a rate limit."""

    code = "quota_exceeded"
    http_status = 422
    title = "Quota exceeded"


class PreconditionFailed(DomainError):
    """The object changed since it was read (If-Match)."""

    code = "precondition_failed"
    http_status = 412
    title = "Changed in the meantime"


class PreconditionRequired(DomainError):
    """The request must say which version it changes (If-Match)."""

    code = "precondition_required"
    http_status = 428
    title = "If-Match is required"


class RateLimited(DomainError):
    """Too many requests; `retry_after_seconds` says when the next one is welcome."""

    code = "rate_limited"
    http_status = 429
    title = "Too many requests"

    def __init__(self, message: str, *, retry_after_seconds: int) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class Busy(RateLimited):
    """Others have to be served first: waiting longer would hold what everybody needs."""

    code = "busy"
    http_status = 503
    title = "Busy"


class RepeatedParameter(DomainError):
    """The address has a query parameter more often than once, and the operation takes one value."""

    code = "repeated_parameter"
    title = "Repeated query parameter"

    def __init__(self, names: Sequence[str]) -> None:
        detail = "is given more than once; which value is meant cannot be known. Give it once."
        super().__init__(
            f"The query parameter{'s' if len(names) > 1 else ''} {', '.join(names)} may be given once only.",
            errors=[{"parameter": name, "code": "repeated", "detail": detail} for name in names],
        )


class UnknownParameter(DomainError):
    """The address has a query parameter that this operation does not know."""

    code = "unknown_parameter"
    title = "Unknown query parameter"

    def __init__(self, names: Sequence[str], known: Sequence[str]) -> None:
        takes = f"It takes: {', '.join(known)}." if known else "It takes none."
        detail = f"there is no such parameter here. {takes}"
        super().__init__(
            f"This operation does not know the query parameter{'s' if len(names) > 1 else ''} {', '.join(names)}.",
            errors=[{"parameter": name, "code": "unknown", "detail": detail} for name in names],
        )
