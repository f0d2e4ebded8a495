"""Read a folder over IMAP4rev1 (RFC 3501) by UID, and change nothing there: it is opened read-only.

The cursor is UIDVALIDITY and the last UID. Where the server gives another UIDVALIDITY its UIDs mean other mails, so
that the folder is read from the start; what its mails say is known by their content, and adds nothing twice.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

from imapclient import IMAPClient
from imapclient.exceptions import IMAPClientError, LoginError

from sfactl.api.context import PluginContext
from sfactl.api.errors import AuthError, ConfigError, TryLater
from sfactl.api.records import CheckReport, Cursor, MailPage
from sfactl_mailbox_imap.settings import Settings

MAILS = 100
BYTES = 8_000_000
"""A page holds so many mails at most, and stops growing at so many bytes."""


class ImapMailbox:
    """One folder of one account."""

    def __init__(self, settings: Settings, context: PluginContext) -> None:
        self._settings = settings
        self._context = context
        self._client: IMAPClient | None = None

    def check(self) -> CheckReport:
        """Log in and look at the folder."""
        try:
            with self._talk() as client:
                state = self._open(client)
        except (AuthError, TryLater, ConfigError) as err:
            return CheckReport(problems=(err.message,))
        count = int(state.get(b"EXISTS", 0))
        return CheckReport(facts={"host": self._settings.host, "folder": self._settings.folder, "mails": f"{count:,}"})

    def fetch(self, cursor: Cursor | None) -> Iterator[MailPage]:
        """The mails that came in since ``cursor``, in the order in which the server took them.

        Raises `AuthError`, `ConfigError` for a folder that is not there, and `TryLater` for all that may pass.
        """
        with self._talk() as client:
            state = self._open(client)
            validity = int(state[b"UIDVALIDITY"])
            known = cursor is not None and int(cursor["uidvalidity"]) == validity
            if cursor is not None and not known:
                self._context.log(f"{self._settings.host}: the folder was made anew, so that it is read from its start")
            last = int(cursor["uid"]) if cursor is not None and known else 0
            uids = self._new(client, last, first=cursor is None)
            for page in self._pages(client, uids):
                mails = self._read(client, page)
                yield MailPage(mails=mails, cursor={"uidvalidity": validity, "uid": page[-1]})

    def close(self) -> None:
        """Log out."""
        if self._client is not None:
            client, self._client = self._client, None
            with suppress(IMAPClientError, OSError):
                client.logout()

    def _open(self, client: IMAPClient) -> Mapping[bytes, Any]:
        """Select the folder, so that nothing in it can be changed."""
        try:
            state: Mapping[bytes, Any] = client.select_folder(self._settings.folder, readonly=True)
        except client.AbortError:
            raise
        except IMAPClientError as err:
            folder = self._settings.folder
            raise ConfigError(f"folder: {self._settings.host} does not open {folder!r}: {err}") from err
        return state

    def _new(self, client: IMAPClient, last: int, *, first: bool) -> list[int]:
        criteria: list[Any] = ["UID", f"{last + 1}:*"]
        if first and self._settings.first_days:
            since = self._context.now() - timedelta(days=self._settings.first_days)
            criteria += ["SINCE", since.date()]
        # n:* holds the last mail also where its number is below n (RFC 3501, 6.4.8).
        return sorted(uid for uid in client.search(criteria) if uid > last)

    def _pages(self, client: IMAPClient, uids: Sequence[int]) -> Iterator[list[int]]:
        """``uids`` in pieces that fit into memory, by the sizes that the server tells."""
        for start in range(0, len(uids), MAILS):
            some = uids[start : start + MAILS]
            sizes = client.fetch(some, ["RFC822.SIZE"])
            page: list[int] = []
            held = 0
            for uid in some:
                page.append(uid)
                held += min(int(sizes.get(uid, {}).get(b"RFC822.SIZE", 0)), self._largest)
                if held >= BYTES:
                    yield page
                    page, held = [], 0
            if page:
                yield page

    def _read(self, client: IMAPClient, uids: Sequence[int]) -> list[bytes]:
        """The mails; one that somebody deleted meanwhile is left out."""
        found = client.fetch(uids, [f"BODY.PEEK[]<0.{self._largest}>"])
        mails = []
        for uid in uids:
            parts = found.get(uid, {})
            raw = next((value for key, value in parts.items() if key.startswith(b"BODY[]")), None)
            if isinstance(raw, bytes):
                mails.append(raw)
        return mails

    @property
    def _largest(self) -> int:
        return self._settings.largest_mb * 1_000_000

    @contextmanager
    def _talk(self) -> Iterator[IMAPClient]:
        """The connection, logged in; whatever goes wrong with it may pass by itself."""
        try:
            yield self._connected()
        except (IMAPClientError, OSError) as err:
            self._drop()
            raise TryLater(
                f"{self._settings.host}: {_words(err)}",
                hint="What was read before is kept. Run the same command again later.",
            ) from err

    def _connected(self) -> IMAPClient:
        if self._client is not None:
            return self._client
        said = self._settings
        self._context.check_host(said.host)
        client = IMAPClient(
            said.host,
            port=said.port_number,
            ssl=said.tls == "implicit",
            ssl_context=self._trust() if said.tls == "implicit" else None,
            timeout=said.timeout_s,
        )
        self._client = client
        if said.tls == "starttls":
            client.starttls(self._trust())
        password = self._context.secret(said.password)
        try:
            if said.auth == "xoauth2":
                client.oauth2_login(said.user, password)
            else:
                client.login(said.user, password)
        except LoginError as err:
            self._drop()
            raise AuthError(
                f"{said.host} refused the password of {said.user}", hint="Look at user and password of the mailbox."
            ) from err
        return client

    def _trust(self) -> ssl.SSLContext:
        """Certificates are verified, and the name in them compared."""
        file = self._settings.ca_file
        try:
            return ssl.create_default_context(cafile=str(self._context.workspace / file) if file else None)
        except OSError as err:
            raise ConfigError(f"ca_file: {file}: {err}") from err

    def _drop(self) -> None:
        if self._client is not None:
            client, self._client = self._client, None
            with suppress(IMAPClientError, OSError):
                client.shutdown()


def _words(err: BaseException) -> str:
    text = " ".join(str(a) for a in err.args) or type(err).__name__
    return text if len(text) < 300 else f"{text[:300]} …"
