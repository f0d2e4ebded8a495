"""An SMTP server that keeps what it accepts in a folder, as a process of its own: it can be killed and started again.

Needs aiosmtpd (``pip install sfactl[testkit]``). Each message is on the disk before the sender hears 250, so the
folder is the truth about what was delivered. It can demand TLS (RFC 3207, or from the first byte) and a login (PLAIN,
LOGIN), and offer PIPELINING (RFC 2920): aiosmtpd answers commands in order from a buffer that nothing empties, so it
does keep to it and only has to say so.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import signal
import ssl
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

REFUSED = "refused@"
BUSY = "busy@"
LOST = "lost@"
"""Recipients that begin with one of these are refused for good (550), put off (451), or taken without an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """One message as the server took it."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    raw: bytes
    """The message as it came, byte for byte."""


@dataclass(slots=True)
class SmtpSink:
    """The server process. Use it as a context manager; `stop` and `start` keep the port and the folder.

    ``certificate`` is a PEM file with key and chain, needed for TLS; ``login`` is the user and password it asks for.
    """

    folder: Path
    port: int = 0
    tls: Literal["none", "starttls", "implicit"] = "none"
    certificate: Path | None = None
    pipelining: bool = False
    login: tuple[str, str] | None = None
    _process: subprocess.Popen[str] | None = field(default=None)

    @property
    def host(self) -> str:
        """The loopback address."""
        return "127.0.0.1"

    def start(self) -> None:
        """Start the process and wait until it listens."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # As a file of its own: as a part of the package it would first import all suites, which takes a second.
        command = [sys.executable, "-P", __file__, str(self.folder), str(self.port)]
        command += ["--tls", self.tls]
        if self.certificate is not None:
            command += ["--certificate", str(self.certificate)]
        if self.pipelining:
            command += ["--pipelining"]
        if self.login is not None:
            command += ["--login", *self.login]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.strip().isdigit():
            self.stop()
            raise RuntimeError("the SMTP sink did not start; is aiosmtpd installed? pip install sfactl[testkit]")
        self.port = int(line)

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End the process, by default as a power cut would."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process = None

    def delivered(self) -> list[Delivered]:
        """Everything that was accepted so far, oldest first."""
        files = sorted(self.folder.glob("*.eml"), key=lambda path: (path.stat().st_mtime_ns, path.name))
        return [_delivered(path.read_bytes()) for path in files]

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop."""
        self.stop(signal.SIGTERM)


def _delivered(data: bytes) -> Delivered:
    head, to, raw = data.split(b"\r\n", 2)
    sender = head.removeprefix(b"X-Sink-From: ").decode()
    recipients = tuple(to.removeprefix(b"X-Sink-To: ").decode().split(","))
    message = message_from_bytes(raw, policy=policy.default)
    return Delivered(sender=sender, recipients=recipients, message=message, raw=raw)


class _Keeper:
    """aiosmtpd's handler: puts each message into the folder."""

    def __init__(self, folder: Path, *, pipelining: bool) -> None:
        self._folder = folder
        self._pipelining = pipelining

    async def handle_EHLO(  # noqa: N802 - named by aiosmtpd
        self, _server: Any, session: Any, _envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        """Say what there is."""
        session.host_name = hostname
        return [responses[0], *(["250-PIPELINING"] if self._pipelining else []), *responses[1:]]

    async def handle_RCPT(  # noqa: N802 - named by aiosmtpd
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]
    ) -> str:
        """Refuse or put off where the address says so."""
        if address.startswith(REFUSED):
            return "550 5.1.1 no such mailbox"
        if address.startswith(BUSY):
            return "451 4.3.0 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - named by aiosmtpd
        """Keep the message durably, then answer."""
        head = f"X-Sink-From: {envelope.mail_from}\r\nX-Sink-To: {','.join(envelope.rcpt_tos)}\r\n".encode()
        handle, name = tempfile.mkstemp(dir=self._folder, suffix=".part")
        with os.fdopen(handle, "wb") as file:
            file.write(head + envelope.original_content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).rename(Path(name).with_suffix(".eml"))
        if any(address.startswith(LOST) for address in envelope.rcpt_tos):
            server.transport.abort()
        return "250 OK"


async def _serve(arguments: argparse.Namespace) -> None:
    from aiosmtpd.smtp import SMTP, AuthResult

    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, done.set)
    keeper = _Keeper(arguments.folder, pipelining=arguments.pipelining)
    trust = None
    if arguments.tls != "none":
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trust.load_cert_chain(arguments.certificate)
    options: dict[str, Any] = {"enable_SMTPUTF8": True}
    if arguments.tls == "starttls":
        options |= {"tls_context": trust, "require_starttls": True}
    if arguments.login:
        logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd warns of what it does itself
        wanted = tuple(word.encode() for word in arguments.login)

        def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> Any:
            return AuthResult(success=(data.login, data.password) == wanted, handled=False)

        # From the first byte in TLS is as good as STARTTLS, but aiosmtpd sees only the latter.
        in_tls = arguments.tls == "starttls"
        options |= {"authenticator": authenticate, "auth_required": True, "auth_require_tls": in_tls}
    encrypted = trust if arguments.tls == "implicit" else None
    server = await loop.create_server(lambda: SMTP(keeper, **options), "127.0.0.1", arguments.port, ssl=encrypted)
    print(server.sockets[0].getsockname()[1], flush=True)
    await done.wait()
    server.close()


def main() -> None:
    """Serve until SIGTERM: ``python -m sfactl.testkit.smtp_sink FOLDER PORT`` (0 takes a free port and prints it)."""
    parser = argparse.ArgumentParser(prog="python -m sfactl.testkit.smtp_sink")
    parser.add_argument("folder", type=Path)
    parser.add_argument("port", type=int)
    parser.add_argument("--tls", choices=("none", "starttls", "implicit"), default="none")
    parser.add_argument("--certificate", type=Path, help="PEM file with the private key and the chain")
    parser.add_argument("--pipelining", action="store_true")
    parser.add_argument("--login", nargs=2, metavar=("USER", "PASSWORD"))
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
