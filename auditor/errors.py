"""Every error a person can meet, as one tree; each class knows its exit code.

AuditorError
├── UsageError          2    wrong arguments, config or input files
│   └── ConfigError     2    config.toml: names file, key and remedy
├── SignInError         4    the sign-in failed or the app may read nothing
├── ServiceError        5    a service could not be reached or gave up
│   └── TicketError     5    a ticket system: not reached, still throttled after the retries
│       ├── TicketRefusal   5    it answered, and took not what was sent
│       └── OutcomeUnknown  5    the connection broke after the request was sent: it may have been carried out
├── PartialError        3    done, but a requested part could not be read (only with --strict)
└── Interrupted         130  stopped by the user; the run can be resumed
"""

from __future__ import annotations


class AuditorError(Exception):
    """`message` says what and where, `remedy` what to do next. Neither may hold a secret."""

    exit_code = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class UsageError(AuditorError):
    exit_code = 2


class ConfigError(UsageError):
    pass


class PartialError(AuditorError):
    exit_code = 3


class SignInError(AuditorError):
    exit_code = 4


class ServiceError(AuditorError):
    exit_code = 5


class TicketError(ServiceError):
    pass


class TicketRefusal(TicketError):  # noqa: N818 - what a system said, as a caller asks it
    """`status` is the HTTP status; `reason` what the system says, without anything that we sent."""

    def __init__(self, message: str, *, status: int, reason: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.reason = reason


class OutcomeUnknown(TicketError):  # noqa: N818 - what is known about the outcome, as a caller asks it
    pass


class Interrupted(AuditorError):  # noqa: N818 - an interruption is no error of the program
    exit_code = 130
