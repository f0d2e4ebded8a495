"""A patch is git's, is applied to exactly what it was made from, and holds no connection and no secret."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfactl.api.errors import ConfigError, Conflict, DataError, NotFound, SfactlError
from sfactl.cli.files import rule_problems
from sfactl.transfer import usecases
from sfactl.transfer.comparing import Difference, compare_files
from sfactl.transfer.model import rule_files
from sfactl.transfer.patch import blob, read_patch, write_patch
from tests.transfer.conftest import Place

TEXTS = st.one_of(
    st.none(),
    st.binary(max_size=120),
    st.text(st.sampled_from("ab\n\r 全\x0b\x0c\u2028\\+-@"), max_size=60).map(str.encode),
)


@pytest.fixture
def slim(dev: Place) -> Place:
    """A workspace with few rules, because each is checked."""
    for path in rule_files(dev.folder):
        if Path(path).stem not in ("winback", "do-not-contact"):
            (dev.folder / path).unlink()
    return dev


def differences(here: Place, there: Path, **given: str | bool | None) -> tuple[tuple[Difference, ...], bytes]:
    """What differs, under no environment unless said."""
    said = {"env": None, "other_env": None, **given}
    return usecases.differences(here.folder, there, **said)  # type: ignore[arg-type]


@settings(max_examples=150, deadline=None)
@given(old=TEXTS, new=TEXTS)
def test_a_patch_makes_the_new_of_the_old(old: bytes | None, new: bytes | None) -> None:
    before, after = ({"assets/a.bin": c} if c is not None else {} for c in (old, new))
    text = write_patch(before, after)
    if old == new:
        assert text == b""
        return
    (part,) = read_patch(text, where="p")
    assert part.fits(old)
    assert part.done(new)
    assert part.apply(old) == new


def test_git_applies_it_as_we_do(tmp_path: Path) -> None:
    before = {"segments/a.toml": b"x\ny\nz\n", "segments/gone.toml": b"bye", "assets/p.png": b"\0\1\2" * 50}
    after = {
        "segments/a.toml": b"x\nY\r\nz",
        "segments/new.toml": "全部\n".encode(),
        "assets/p.png": bytes(range(256)) * 3,
        "segments/empty.toml": b"",
    }
    for path, content in before.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_bytes(content)
    (tmp_path / "p.patch").write_bytes(write_patch(before, after))
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is not installed")
    subprocess.run([git, "apply", "--whitespace=nowarn", "p.patch"], cwd=tmp_path, check=True, env={"HOME": "/"})
    found = {p.relative_to(tmp_path).as_posix(): p.read_bytes() for p in tmp_path.glob("*/*") if p.is_file()}
    assert found == after
    assert blob(b"x\n") == "587be6b4c3f93f93c489c0111bba5596147a26cb"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"garbage", id="garbage"),
        pytest.param(b"diff --git a/segments/a.toml b/segments/b.toml\nindex 00000000..11111111\n", id="renamed"),
        pytest.param(b"diff --git a/segments/a.toml b/segments/a.toml\n@@ -1 +1 @@\n", id="no index"),
        pytest.param(write_patch({}, {"segments/a.toml": b"a\n"}) * 2, id="twice"),
        pytest.param(write_patch({}, {"segments/a.toml": b"a\n"}).replace(b"+a", b"+b"), id="another text"),
        pytest.param(write_patch({}, {"assets/a.png": b"\0\1\2"}).replace(b"literal 3", b"delta 3"), id="delta"),
        pytest.param(write_patch({}, {"senders/a.toml": b"a\n"}), id="a connection"),
        pytest.param(write_patch({}, {"../a.toml": b"a\n"}), id="out of it"),
        pytest.param(write_patch({}, {"sfactl.toml": b"a\n"}), id="settings"),
    ],
)
def test_what_is_no_patch_of_rules_is_refused(prod: Place, text: bytes) -> None:
    (prod.folder.parent / "p.patch").write_bytes(text)
    before = prod.files()
    with pytest.raises(DataError):
        prod.patched(prod.folder.parent / "p.patch")
    assert prod.files() == before


def test_from_dev_to_prod(slim: Place, prod: Place, tmp_path: Path) -> None:
    prod.write("segments/ours.toml", 'schema = 1\nwhere = "true"\n')
    found, text = differences(slim, prod.folder)
    assert {d.what for d in found} == {"new", "only there"}
    (tmp_path / "p.patch").write_bytes(text)
    done = prod.patched(tmp_path / "p.patch", rule_problems)
    assert {f.what for f in done.files} == {"new"}
    assert [(d.place, d.what) for d in differences(slim, prod.folder)[0]] == [("segments/ours.toml", "only there")]
    assert not prod.patched(tmp_path / "p.patch").changed, "a patch that was applied has nothing more to do"
    (tmp_path / "p.patch").write_bytes(differences(slim, prod.folder, remove=True)[1])
    assert [(f.path, f.what) for f in prod.patched(tmp_path / "p.patch").files] == [("segments/ours.toml", "removed")]


def test_a_file_that_moved_meanwhile_stops_all_of_it(slim: Place, prod: Place, tmp_path: Path) -> None:
    (tmp_path / "p.patch").write_bytes(differences(slim, prod.folder)[1])
    prod.write("segments/winback.toml", 'schema = 1\nwhere = "true"\n')
    before = prod.files()
    with pytest.raises(Conflict, match=r"segments/winback\.toml: not as it was"):
        prod.patched(tmp_path / "p.patch")
    assert prod.files() == before


def test_rules_that_would_not_be_right_are_not_applied(slim: Place, prod: Place, tmp_path: Path) -> None:
    slim.write("strategies/odd.toml", slim.read("strategies/winback.toml").replace(b'"winback"', b'"wonback"'))
    (tmp_path / "p.patch").write_bytes(differences(slim, prod.folder)[1])
    before = prod.files()
    with pytest.raises(ConfigError, match=r"strategies/odd\.toml.*wonback"):
        prod.patched(tmp_path / "p.patch", rule_problems)
    assert prod.files() == before


def test_an_archive_can_be_compared_too(dev: Place, prod: Place) -> None:
    _, path = dev.exported("winback")
    prod.imported(path)
    assert differences(prod, path)[0] == ()
    prod.write("templates/winback.toml", prod.read("templates/winback.toml").replace(b"schema = 1", b"schema = 1 # x"))
    assert [(d.place, d.what) for d in differences(prod, path)[0]] == [("templates/winback.toml", "comments")]
    with pytest.raises(NotFound, match="neither a workspace nor an archive"):
        differences(prod, prod.folder / "sfactl.toml")


def test_settings_differ_by_environment_and_show_no_secret(dev: Place, prod: Place) -> None:
    dev.write("senders/mail.toml", 'schema = 1\nuse = "smtp"\nhost = "dev.example"\npassword = "env:DEV_PW"\n')
    prod.write("senders/mail.toml", 'schema = 1\nuse = "smtp"\nhost = "x.example"\npassword = "file:/run/pw"\n')
    prod.write("senders/hook.toml", 'schema = 1\nuse = "webhook"\nurl = "https://me:hunter2@x.example"\n')
    prod.write("senders/hook2.toml", 'schema = 1\nuse = "webhook"\n[headers]\nAuthorization = "Bearer hunter2"\n')
    prod.write("sfactl.toml", prod.read("sfactl.toml").decode() + '\n[env.prod.senders.mail]\nhost = "prod.example"\n')
    found = {
        d.key: (d.there, d.here) for d in differences(dev, prod.folder, other_env="prod")[0] if d.what == "setting"
    }
    assert found["senders.mail.host"] == ("prod.example", "dev.example")
    assert found["senders.mail.password"] == ("file:/run/pw", "env:DEV_PW")
    assert found["senders.hook.url"] == ("https://(not shown)@x.example", None)
    everything = repr(differences(dev, prod.folder, other_env="prod"))
    assert "hunter2" not in everything


def test_a_secret_in_a_rule_is_never_in_the_patch(dev: Place, prod: Place) -> None:
    dev.write("scores/fit.toml", 'schema = 1\nstrategy = "remote"\n[settings]\ntoken = "hunter2"\n')
    with pytest.raises(ConfigError, match="a secret is written out"):
        differences(dev, prod.folder)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param("a = 1\nb = 2", "a = 1\nb = 3", [("b", 2, 3)], id="value"),
        pytest.param("[x]\na = 1", "[x]\n", [("x.a", 1, None)], id="gone"),
        pytest.param('[[s]]\nname = "p"\nv = 1', '[[s]]\nname = "p"\nv = 2', [("s.p.v", 1, 2)], id="by name"),
        pytest.param(
            '[[s]]\nname = "p"\nv = 1\n[[s]]\nname = "q"\nv = 1',
            '[[s]]\nname = "q"\nv = 1\n[[s]]\nname = "p"\nv = 1',
            [("s in order", ["p", "q"], ["q", "p"])],
            id="order",
        ),
        pytest.param("a = 1 # x", "a = 1", [("", None, None)], id="comment"),
        pytest.param("a = [", "a = 1", [("", "5 bytes", "5 bytes")], id="broken"),
    ],
)
def test_differences_are_told_key_by_key(old: str, new: str, said: list[tuple[str, object, object]]) -> None:
    found = compare_files({"segments/a.toml": old.encode()}, {"segments/a.toml": new.encode()})
    assert [(d.key, d.there, d.here) for d in found] == said


@settings(max_examples=60, deadline=None)
@given(text=st.binary(max_size=300))
def test_garbage_makes_no_trouble_but_an_error(text: bytes) -> None:
    try:
        parts = read_patch(b"diff --git a/segments/a.toml b/segments/a.toml\n" + text, where="p")
        made = [(part, part.apply(b"x\n")) for part in parts]
    except SfactlError:
        return
    assert all(part.done(content) for part, content in made)
