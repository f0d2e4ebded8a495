"""What a domain publishes, judged against a real DNS server on loopback: SPF, DKIM keys, DMARC, and how they fit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("cryptography")

from sfactl_sender_smtp.domain.names import Names, endpoint
from sfactl_sender_smtp.sender import SmtpSender
from sfactl_sender_smtp.settings import SmtpSettings

from sfactl.api.errors import ConfigError, TryLater
from sfactl.api.records import DomainFinding
from sfactl.cli.main import main
from sfactl.testkit import DnsServer
from tests.scripted_smtp import SenderContext

ED25519 = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
ED25519_PUBLIC = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
RSA_1024 = (
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91"
    "y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
)

SPF = {
    "good": ["v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 include:provider.example -all"],
    "soft": ["v=spf1 mx ~all"],
    "none": ["google-site-verification=x"],
    "two": ["v=spf1 -all", "v=spf1 mx -all"],
    "open": ["v=spf1 mx +all"],
    "bare": ["v=spf1 all"],
    "unended": ["v=spf1 a:mail.example"],
    "neutral": ["v=spf1 a:mail.example ?all"],
    "slow": ["v=spf1 ptr -all"],
    "slip": ["v=spf1 ip4:192.0.2.0/240 -all"],
    "mixed": ["v=spf1 ip4:2001:db8::/32 -all"],
    "misspelt": ["v=spf1 inlcude:provider.example -all"],
    "dangling": ["v=spf1 include:nowhere.example -all"],
    "loop": ["v=spf1 include:loop.example -all"],
    "redirected": ["v=spf1 redirect=soft.example"],
    "handed-on": ["v=spf1 redirect=%{d}.policies.example"],
    "macro": ["v=spf1 exists:%{i}.list.example -all"],
    "greedy": ["v=spf1 " + " ".join(f"a:h{n}.example" for n in range(11)) + " -all"],
    "hollow": ["v=spf1 a:x1.example a:x2.example a:x3.example -all"],
    "behind-all": ["v=spf1 -all include:nowhere.example"],
    "nested": ["v=spf1 include:good.example include:soft.example -all"],
}
DMARC = {
    "reject": ["v=DMARC1; p=reject; rua=mailto:d@reject.example"],
    "spaced": ["v = DMARC1 ; p = reject; rua=mailto:d@spaced.example!10m"],
    "watch": ["v=DMARC1; p=none; rua=mailto:d@watch.example"],
    "silent": ["v=DMARC1; p=quarantine"],
    "partly": ["v=DMARC1; p=reject; pct=20; rua=mailto:d@partly.example"],
    "wrong": ["v=DMARC1; p=rejct"],
    "twice": ["v=DMARC1; p=none", "v=DMARC1; p=reject"],
    "outside": ["v=DMARC1; p=reject; rua=mailto:r@reports.example"],
    "allowed": ["v=DMARC1; p=reject; rua=mailto:r@reports.example"],
    "tagged": ["v=DMARC1; p=reject; rua=https://reports.example/"],
    "strict": ["v=DMARC1; p=reject; adkim=s; aspf=s; rua=mailto:d@strict.example"],
    "other": ["v=DMARC2; p=reject"],
    "lenient": ["v=DMARC1; p=reject; sp=none; rua=mailto:d@lenient.example"],
}
KEYS = {
    "ours": [f"v=DKIM1; k=ed25519; p={ED25519_PUBLIC}"],
    "folded": [f"v=DKIM1; k=ed25519; p={ED25519_PUBLIC[:10]} {ED25519_PUBLIC[10:]}"],
    "short": [f"k=rsa; p={RSA_1024}"],
    "testing": [f"v=DKIM1; k=ed25519; t=y:s; p={ED25519_PUBLIC}"],
    "revoked": ["v=DKIM1; k=rsa; p="],
    "garbage": ["v=DKIM1; k=rsa; p=AAAA"],
    "notags": ["hello"],
    "future": ["v=DKIM1; k=ml-dsa; p=AAAA"],
    "sha1": [f"v=DKIM1; h=sha1; k=rsa; p={RSA_1024}"],
    "double": [f"v=DKIM1; k=rsa; p={RSA_1024}", "v=DKIM1; k=rsa; p="],
}


def zone() -> dict[str, list[str]]:
    """All records of the world."""
    records = {f"{name}.example TXT": texts for name, texts in SPF.items()}
    records |= {f"_dmarc.{name}.example TXT": texts for name, texts in DMARC.items()}
    records |= {f"{name}._domainkey.acme.example TXT": texts for name, texts in KEYS.items()}
    records |= {f"h{n}.example A": [f"198.51.100.{n}"] for n in range(12)}
    records |= {
        "acme.example TXT": ["v=spf1 a:smtp.acme.example -all", "x" * 900, "y" * 900],
        "acme.example MX": ["10 mail.example."],
        "_dmarc.acme.example TXT": ["v=DMARC1; p=reject; rua=mailto:d@acme.example"],
        "smtp.acme.example A": ["93.184.215.14"],
        "b.acme.example TXT": ["v=spf1 a:smtp.acme.example -all"],
        "b.acme.example MX": ["10 mail.example."],
        "elsewhere.example TXT": ["v=spf1 a:smtp.acme.example -all"],
        "elsewhere.example MX": ["10 mail.example."],
        "provider.example TXT": ["v=spf1 ip4:203.0.113.0/24 -all"],
        "mail.example A": ["192.0.2.1"],
        "soft.example MX": ["10 mail.example.", "20 backup.example."],
        "backup.example AAAA": ["2001:db8::2"],
        "open.example MX": ["10 mail.example."],
        "refuses.example MX": ["0 ."],
        "host.example A": ["192.0.2.9"],
        "allowed.example._report._dmarc.reports.example TXT": ["v=DMARC1"],
    }
    return records


@pytest.fixture(scope="module")
def dns() -> Iterator[DnsServer]:
    with DnsServer(records=zone(), silent=frozenset({"silent-server.example"})) as server:
        yield server


def look(dns: DnsServer, domain: str, *selectors: str, **settings: str) -> dict[str, DomainFinding]:
    """The findings by kind; of the same kind, the last."""
    values = {"host": "smtp.acme.example", "nameserver": dns.address, **settings}
    sender = SmtpSender(SmtpSettings(**values), SenderContext({"env:K": ED25519}))
    return {finding.check: finding for finding in sender.check_domain(domain, selectors)}


@pytest.mark.parametrize(
    ("name", "verdict", "detail"),
    [
        ("good", "ok", "1 of 10 lookups · does not admit smtp.acme.example itself"),
        ("soft", "ok", "1 of 10 lookups"),
        ("none", "failed", "there is no policy"),
        ("two", "failed", "there are 2 policies"),
        ("open", "failed", "+all admits the whole world"),
        ("bare", "failed", "+all admits the whole world"),
        ("unended", "warning", "does not say what to do with other servers"),
        ("neutral", "warning", "does not say what to do with other servers"),
        ("slow", "warning", "ptr is slow"),
        ("slip", "failed", "'192.0.2.0/240' is no network"),
        ("mixed", "failed", "IPv6 network"),
        ("misspelt", "failed", "there is no mechanism 'inlcude'"),
        ("dangling", "failed", "nowhere.example has no policies"),
        ("loop", "failed", "leads back to itself"),
        ("redirected", "ok", "2 of 10 lookups"),
        ("macro", "ok", "1 of 10 lookups"),
        ("handed-on", "ok", "1 of 10 lookups"),
        ("greedy", "failed", "more than 10 lookups"),
        ("hollow", "failed", "more than 2 lookups find nothing"),
        ("behind-all", "ok", "0 of 10 lookups"),
        ("nested", "ok", "4 of 10 lookups"),
        ("acme", "ok", "1 of 10 lookups · admits smtp.acme.example"),
    ],
)
def test_spf(dns: DnsServer, name: str, verdict: str, detail: str) -> None:
    found = look(dns, f"{name}.example")["spf"]
    assert (found.verdict, detail in found.detail) == (verdict, True), found


@pytest.mark.parametrize(
    ("selector", "verdict", "detail"),
    [
        ("folded", "ok", "ed25519, 256 bits"),
        ("short", "warning", "rsa, 1024 bits · 2048 bits are asked for"),
        ("testing", "warning", "only testing"),
        ("revoked", "failed", "revoked"),
        ("garbage", "failed", "cannot read it"),
        ("notags", "failed", "cannot read it"),
        ("future", "failed", "unknown algorithm"),
        ("sha1", "failed", "does not allow SHA-256"),
        ("double", "failed", "2 records"),
        ("missing", "failed", "nothing is published"),
    ],
)
def test_keys_that_others_sign_with(dns: DnsServer, selector: str, verdict: str, detail: str) -> None:
    found = look(dns, "acme.example", selector)["dkim"]
    assert (found.verdict, detail in found.detail) == (verdict, True), found
    assert found.name == f"{selector}._domainkey.acme.example"


@pytest.mark.parametrize(
    ("selector", "verdict", "detail"),
    [
        ("ours", "ok", "the key that signs"),
        ("short", "failed", "another key than the one that signs"),
        ("missing", "failed", "nothing is published"),
    ],
)
def test_the_key_of_the_sender_itself(dns: DnsServer, selector: str, verdict: str, detail: str) -> None:
    found = look(dns, "acme.example", dkim_selector=selector, dkim_private_key="env:K")["dkim"]
    assert (found.verdict, detail in found.detail) == (verdict, True), found
    publish = f"{selector}._domainkey.acme.example TXT v=DKIM1; k=ed25519; p={ED25519_PUBLIC}"
    assert found.publish == ("" if verdict == "ok" else publish)


@pytest.mark.parametrize(
    ("domain", "verdict", "detail"),
    [
        ("reject.example", "ok", "p=reject"),
        ("spaced.example", "ok", "p=reject"),
        ("news.reject.example", "ok", "p=reject · that of reject.example"),
        ("a.b.lenient.example", "warning", "p=none · that of lenient.example · mail that fails is delivered"),
        ("watch.example", "warning", "mail that fails is delivered all the same"),
        ("silent.example", "warning", "nobody gets reports"),
        ("partly.example", "warning", "only 20 % of the mail"),
        ("wrong.example", "failed", "p=rejct is no policy"),
        ("twice.example", "failed", "several policies"),
        ("outside.example", "warning", "reports.example does not say that it takes reports for outside.example"),
        ("allowed.example", "ok", "p=reject"),
        ("tagged.example", "warning", "is no mailto: address"),
        ("other.example", "failed", "there is no policy"),
        ("none.example", "failed", "there is no policy"),
    ],
)
def test_dmarc(dns: DnsServer, domain: str, verdict: str, detail: str) -> None:
    found = look(dns, domain)["dmarc"]
    assert (found.verdict, detail in found.detail) == (verdict, True), found


@pytest.mark.parametrize(
    ("domain", "settings", "verdict"),
    [
        pytest.param("acme.example", {"dkim": "acme.example"}, "ok", id="signed"),
        pytest.param("news.acme.example", {"dkim": "acme.example"}, "ok", id="signed-by-the-organisation"),
        pytest.param("acme.example", {"return_path": "r@b.acme.example"}, "warning", id="spf-only"),
        pytest.param("acme.example", {"return_path": "r@elsewhere.example"}, "failed", id="neither"),
        pytest.param(
            "acme.example", {"dkim": "x.example", "return_path": "r@elsewhere.example"}, "failed", id="foreign-key"
        ),
        pytest.param(
            "strict.example", {"dkim": "a.strict.example", "return_path": "r@a.strict.example"}, "failed", id="strict"
        ),
    ],
)
def test_what_counts_for_the_domain_that_readers_see(
    dns: DnsServer, domain: str, settings: dict[str, str], verdict: str
) -> None:
    given = {k: v for k, v in settings.items() if k != "dkim"}
    if signer := settings.get("dkim"):
        given |= {"dkim_domain": signer, "dkim_selector": "ours", "dkim_private_key": "env:K"}
    found = look(dns, domain, **given)
    assert found["alignment"].verdict == verdict, found["alignment"]
    assert found["spf"].name == settings.get("return_path", f"x@{domain}").partition("@")[2]


@pytest.mark.parametrize(
    ("domain", "verdict", "detail"),
    [
        ("acme.example", "ok", ""),
        ("refuses.example", "failed", "takes no mail"),
        ("host.example", "warning", "no MX"),
        ("unknown.example", "failed", "nobody takes mail"),
    ],
)
def test_whether_it_can_be_answered(dns: DnsServer, domain: str, verdict: str, detail: str) -> None:
    found = look(dns, domain)["mx"]
    assert (found.verdict, detail in found.detail) == (verdict, True), found


def test_long_answers_come_over_tcp(dns: DnsServer) -> None:
    assert len(Names(dns.address).texts("acme.example")) == 3


def test_a_server_that_does_not_answer_is_no_finding(dns: DnsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sfactl_sender_smtp.domain.names.LIFETIME_S", 0.2)
    with pytest.raises(TryLater, match="DNS did not answer"):
        Names(dns.address).texts("silent-server.example")


@pytest.mark.parametrize(
    ("nameserver", "found"),
    [
        ("192.0.2.53", ("192.0.2.53", 53)),
        ("192.0.2.53:5353", ("192.0.2.53", 5353)),
        ("[2001:db8::53]", ("2001:db8::53", 53)),
        ("[2001:db8::53]:5353", ("2001:db8::53", 5353)),
    ],
)
def test_where_the_nameserver_is(nameserver: str, found: tuple[str, int]) -> None:
    assert endpoint(nameserver) == found


@pytest.mark.parametrize("nameserver", ["dns.example", "192.0.2.53:x", "192.0.2.53:99999", "[::1", "-"])
def test_a_nameserver_that_is_none_is_said_at_once(nameserver: str) -> None:
    with pytest.raises(ConfigError, match="neither IP nor IP:PORT"):
        endpoint(nameserver)


def test_names_that_dns_cannot_hold_are_not_there(dns: DnsServer) -> None:
    assert Names(dns.address).texts("x" * 64 + ".example") == ()
    assert Names(dns.address).texts("a..example") == ()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(["acme.example"], 0, "✓ spf", id="good"),
        pytest.param(["https://ACME.example/shop"], 0, "acme.example, sent by news", id="as-a-link"),
        pytest.param(["news@acme.example"], 0, "acme.example, sent by news", id="as-an-address"),
        pytest.param(["wrong.example"], 1, "✗ dmarc", id="failed"),
        pytest.param(
            ["acme.example", "--selector", "missing"], 1, "missing._domainkey.acme.example: nothing", id="selector"
        ),
        pytest.param(["acme.example", "--sender", "box"], 2, "cannot look up domains", id="wrong-sender"),
        pytest.param(["acme.example", "--sender", "nobody"], 2, "there is no senders/nobody.toml", id="no-sender"),
        pytest.param(["localhost"], 2, "is no domain", id="no-domain"),
        pytest.param(["a b.example"], 2, "is no domain", id="blank"),
        pytest.param(["\u0301.example"], 2, "is no domain", id="idna"),
    ],
)
def test_the_command(
    dns: DnsServer,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    folder = tmp_path_factory.mktemp("ws")
    monkeypatch.setenv("DKIM_KEY", ED25519)
    monkeypatch.chdir(folder)
    assert main(["init", "."]) == 0
    (folder / "senders").mkdir(exist_ok=True)
    (folder / "senders/news.toml").write_text(
        f'schema = 1\nuse = "smtp"\nhost = "smtp.acme.example"\nnameserver = "{dns.address}"\n'
        'dkim_selector = "ours"\ndkim_private_key = "env:DKIM_KEY"\n'
    )
    (folder / "senders/box.toml").write_text('schema = 1\nuse = "maildir"\n')
    capsys.readouterr()
    assert main(["touch", "check-domain", *arguments]) == code
    answer = capsys.readouterr()
    assert said in answer.out + answer.err
