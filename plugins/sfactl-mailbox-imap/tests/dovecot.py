"""A real dovecot on free ports of this machine, with a folder and certificates of its own."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

BINARY = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
MISSING = "dovecot is not installed (apt install dovecot-imapd)"
PASSWORD = "opensesame"

CONFIG = """
base_dir = {run}/base
state_dir = {run}/state
log_path = {run}/log
protocols = imap
listen = 127.0.0.1
default_internal_user = {user}
default_login_user = {user}
default_internal_group = {group}
first_valid_uid = 1
mail_location = maildir:{run}/mail/%u
disable_plaintext_auth = no
ssl = yes
ssl_cert = <{run}/cert.pem
ssl_key = <{run}/key.pem
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={run}/mail/%u
}}
service anvil {{
  chroot =
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
service stats {{
  chroot =
  client_limit = 100
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dovecot:
    """A server that runs; any user may log in, with `PASSWORD`."""

    folder: Path
    port: int
    tls_port: int

    @property
    def ca_file(self) -> str:
        """Whom to trust."""
        return str(self.folder / "ca.pem")

    def box(self, user: str) -> Path:
        """The maildir of ``user``."""
        path = self.folder / "mail" / user
        for name in ("cur", "new", "tmp"):
            (path / name).mkdir(parents=True, exist_ok=True)
        self.own(path)
        return path

    def deliver(self, user: str, raw: bytes) -> None:
        """Let a mail come in, as a delivery agent does: written aside, then renamed."""
        box = self.box(user)
        name = f"{time.time_ns()}.{os.getpid()}.test"
        (box / "tmp" / name).write_bytes(raw)
        self.own(box / "tmp" / name)
        (box / "tmp" / name).rename(box / "new" / name)

    def own(self, path: Path) -> None:
        """Give a file or folder to the user that the server runs as."""
        if os.geteuid() == 0:
            record = pwd.getpwnam("nobody")
            for one in (path, *path.rglob("*")) if path.is_dir() else (path,):
                os.chown(one, record.pw_uid, record.pw_gid)
            for parent in path.parents:
                if self.folder in parent.parents or parent == self.folder:
                    os.chown(parent, record.pw_uid, record.pw_gid)


@contextmanager
def dovecot() -> Iterator[Dovecot]:
    """Start a server and stop it again. Raises `RuntimeError` with its log where it does not answer."""
    assert BINARY is not None
    folder = Path(tempfile.mkdtemp(prefix="sfactl-dovecot-"))
    folder.chmod(0o755)
    user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    record = pwd.getpwnam(user)
    group = grp.getgrgid(record.pw_gid).gr_name
    server = Dovecot(folder=folder, port=free_port(), tls_port=free_port())
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    cert = authority.issue_cert("localhost")
    cert.private_key_pem.write_to_path(str(folder / "key.pem"))
    for pem in cert.cert_chain_pems:
        pem.write_to_path(str(folder / "cert.pem"), append=True)
    (folder / "dovecot.conf").write_text(
        CONFIG.format(run=folder, user=user, group=group, port=server.port, tls_port=server.tls_port, password=PASSWORD)
    )
    server.own(folder)
    process = subprocess.Popen(
        [BINARY, "-F", "-c", str(folder / "dovecot.conf")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        **({"user": user, "group": record.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}),
    )
    try:
        _await(process, server)
        yield server
    finally:
        process.terminate()
        process.wait(20)
        assert process.stderr is not None
        process.stderr.close()
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _await(process: subprocess.Popen[bytes], server: Dovecot) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with socket.socket() as probe:
            probe.settimeout(1)
            if process.poll() is None and probe.connect_ex(("127.0.0.1", server.port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.02)
    log = server.folder / "log"
    said = log.read_text() if log.exists() else ""
    assert process.stderr is not None
    raise RuntimeError(f"dovecot does not answer: {said}{process.stderr.read().decode() if process.poll() else ''}")
