"""An SMTP server in a process of its own. Each message is durable in its log before it is acknowledged.

Arguments: port, log file. A line of the log is: recipient, tab, Message-ID.
"""

from __future__ import annotations

import asyncio
import os
import sys
from email import message_from_bytes
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session


class Sink:
    """Writes down what it accepts."""

    def __init__(self, log: str) -> None:
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        mail = message_from_bytes(envelope.content)  # type: ignore[arg-type]
        for recipient in envelope.rcpt_tos:
            os.write(self._log, f"{recipient}\t{mail['Message-ID']}\n".encode())
        os.fdatasync(self._log)
        return "250 queued"


async def main(port: int, log: str) -> None:
    """Serve until killed."""
    sink: Any = Sink(log)
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(sink), "127.0.0.1", port)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
