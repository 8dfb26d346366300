"""What the emulated tenant answers to MAIL FROM, RCPT TO and a message.

A signed-in client may use the addresses of its mailbox, and those for which it holds Send As. Exchange Online may find
a refused From address, a missing licence or a used-up limit only when the message is handed over; here MAIL FROM and
RCPT TO tell them already, so that a probe that sends nothing meets them.

Without a sign-in only the tenant's MX host takes mail: from an address that a connector lists, or to the tenant's own
domains while Direct Send is not refused.
"""

from __future__ import annotations

from dataclasses import dataclass

from auditor.demo.model import DemoTenant
from auditor.demo.smtp import mailboxes, texts
from auditor.demo.smtp.sign_in import Client, SignedIn

MX_SUFFIX = ".mail.protection.outlook.com"
RECIPIENTS_A_DAY = 10_000
RECIPIENTS_A_MESSAGE = 500


@dataclass(frozen=True, slots=True)
class Desk:
    """Decides what one tenant's clients may submit."""

    tenant: DemoTenant

    def sender(self, client: Client, signed_in: SignedIn | None, address: str) -> str:
        """The answer to MAIL FROM."""
        if signed_in is None:
            return texts.SENDER_OK if client.host.endswith(MX_SUFFIX) else texts.NOT_AUTHENTICATED
        user_id = signed_in.user["id"]
        high_volume = mailboxes.exchange_row(self.tenant, "hveAccounts", user_id) if client.high_volume else None
        own = high_volume or mailboxes.exchange_row(self.tenant, "mailboxes", user_id)
        if own is None:
            return texts.NO_LICENCE
        holder = signed_in.app or signed_in.user
        if address.lower() in mailboxes.addresses(own) or mailboxes.may_send_as(self.tenant, holder, address):
            return texts.SENDER_OK
        return texts.SEND_AS_DENIED

    def recipient(self, client: Client, signed_in: SignedIn | None, address: str, before: int) -> str:
        """The answer to RCPT TO; `before` is how many recipients the message has already."""
        if signed_in is None:
            return self._without_sign_in(client, address)
        if before >= RECIPIENTS_A_MESSAGE:
            return texts.TOO_MANY_RECIPIENTS
        if not client.high_volume and self._sent_in_a_day(signed_in) >= RECIPIENTS_A_DAY:
            return texts.QUOTA
        return texts.RECIPIENT_OK

    def _without_sign_in(self, client: Client, address: str) -> str:
        if mailboxes.connector_takes(self.tenant, client.address):
            return texts.RECIPIENT_OK
        if not mailboxes.is_accepted(self.tenant, address):
            return texts.RELAY_DENIED
        return texts.DIRECT_SEND_DENIED if mailboxes.refuses_direct_send(self.tenant) else texts.RECIPIENT_OK

    def _sent_in_a_day(self, signed_in: SignedIn) -> int:
        """The senders are at work all day: what their owner declares is what they tried in the last 24 hours."""
        account = str(signed_in.user["userPrincipalName"]).lower()
        declared = (
            sender.get("recipients_per_day", 0)
            for sender in self.tenant.senders
            if str(sender["account"]).lower() == account
        )
        return sum(declared)
