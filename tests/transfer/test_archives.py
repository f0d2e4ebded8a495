"""What a rule needs goes along with it, comes back byte for byte, and an archive from elsewhere is not believed."""

from __future__ import annotations

import io
import os
import random
import zipfile
from pathlib import Path

import pytest

from sfactl.api.errors import ConfigError, DataError, NotFound, SfactlError, UserError
from sfactl.cli.files import OBJECTS, rule_problems
from sfactl.cli.files import SINGLE as SINGLE_FILES
from sfactl.config.edit import replace_file
from sfactl.strategies.files import read_strategy
from sfactl.transfer.archive import CONTENTS, pack, unpack
from sfactl.transfer.model import RULES, SINGLE, Archive, Kind, Needs
from sfactl.transfer.usecases import placing
from tests.transfer.conftest import Place

OFFER = """
schema = 1
summary = "What all may come to: {said}"
where = "member_of('sleeping') and score.fit >= 30 and tag('vip') and layer.seasons = 'spring' and floors > 2"
blacklist = "do-not-contact"
[touch]
sender = "outbox"
from = "Acme <hello@acme.example>"
unsubscribe = "mailto:unsubscribe@acme.example?subject={{key}}"
[[steps]]
name = "offer"
action = "touch"
template = "offer"
"""
TEMPLATE = """
schema = 1
subject = "親愛的 {{ lead.first_name or 'you' }}"
text = "Hello"
html = '<img src="cid:stamps/mark.png">'
attach = ["list.pdf"]
"""
FIELDS = '[fields.leads]\nfloors = "integer"\nroof = "text"\n'
PROOF = """
schema = 1
[[tests]]
name = "who sleeps"
segment = "sleeping"
clock = 2026-11-23T09:00:00
expect.member = false
[[tests.cases]]
id = "nobody"
"""


@pytest.fixture
def rich(dev: Place, prod: Place) -> Place:
    """A strategy that names one of everything that can be named."""
    for place in (dev, prod):
        text = place.read("sfactl.toml").decode()
        place.write("sfactl.toml", text.replace("[fields.leads]\n", FIELDS))
    dev.write("strategies/offer.toml", OFFER.format(said="ünïcödé 全部"))
    dev.write("templates/offer.toml", TEMPLATE)
    dev.write("assets/stamps/mark.png", b"\x89PNG\r\n\x1a\n\0\xff")
    dev.write("assets/list.pdf", b"%PDF-1.7 list")
    dev.write("assets/unused.pdf", b"%PDF-1.7 other")
    dev.write("tags/gold.toml", "schema = 1\ntag = 'VIP'\nwhere = \"member_of('reachable')\"\n")
    dev.write(
        "layers/seasons.toml", 'schema = 1\nkind = "preference"\n[settings]\nsource = "touchpoints"\nby = "kind"\n'
    )
    dev.write("tests/sleeping.toml", PROOF)
    return dev


def test_every_folder_of_rules_may_travel() -> None:
    """A kind of rule that is new and not in the list would be left behind without a word."""
    assert set(OBJECTS) <= set(RULES)
    assert set(SINGLE_FILES) == set(SINGLE)


def test_a_strategy_brings_all_that_it_names_and_nothing_else(rich: Place) -> None:
    done, path = rich.exported("offer")
    assert done.files == (
        "assets/list.pdf",
        "assets/stamps/mark.png",
        "layers/seasons.toml",
        "scores/fit.toml",
        "segments/do-not-contact.toml",
        "segments/reachable.toml",
        "segments/sleeping.toml",
        "strategies/offer.toml",
        "tags/gold.toml",
        "templates/offer.toml",
        "tests/sleeping.toml",
    )
    assert done.needs == Needs(senders=("outbox",), fields={"leads.floors": "integer"})
    assert all(entry.compress_type == zipfile.ZIP_STORED for entry in zipfile.ZipFile(path).infolist())


def test_the_way_there_and_back_changes_no_byte(rich: Place, prod: Place) -> None:
    done, first = rich.exported("offer")
    taken = prod.imported(first, check=rule_problems)
    assert {f.what for f in taken.files} == {"new"}
    assert all(prod.read(path) == rich.read(path) for path in done.files)
    _, second = prod.exported("offer", into="back.zip")
    assert second.read_bytes() == first.read_bytes()
    assert {f.what for f in prod.imported(second).files} == {"same"}
    assert read_strategy(prod.folder, "offer").version == read_strategy(rich.folder, "offer").version


@pytest.mark.parametrize("kind", ["strategy", "campaign"])
def test_all_rules_of_the_preset_go_there_and_back(dev: Place, prod: Place, kind: Kind) -> None:
    _, first = dev.exported(kind=kind)
    prod.imported(first, kind=kind)
    _, second = prod.exported(kind=kind, into="back.zip")
    assert second.read_bytes() == first.read_bytes()


def test_files_written_with_returns_and_marks_stay_so(dev: Place, prod: Place) -> None:
    text = b"\xef\xbb\xbf" + dev.read("templates/welcome.toml").replace(b"\n", b"\r\n")
    dev.write("templates/welcome.toml", text)
    prod.imported(dev.exported("welcome", kind="campaign")[1], kind="campaign")
    assert prod.read("templates/welcome.toml") == text


def test_the_order_of_files_on_disk_makes_no_difference(rich: Place) -> None:
    archive = unpack(rich.exported("offer")[1])
    mixed = list(archive.files.items())
    random.Random(7).shuffle(mixed)
    again = Archive(kind=archive.kind, names=archive.names, needs=archive.needs, files=dict(mixed))
    assert pack(again) == pack(archive)


def test_another_file_of_the_name_stays_unless_it_is_to_be_replaced(dev: Place, prod: Place) -> None:
    _, path = dev.exported("winback")
    prod.imported(path)
    prod.write("templates/winback.toml", prod.read("templates/winback.toml") + b"# ours\n")
    before = prod.files()
    with pytest.raises(UserError, match=r"templates/winback\.toml: there is another file of this name here"):
        prod.imported(path)
    assert prod.files() == before
    assert {f.path: f.what for f in prod.imported(path, replace=True).files}["templates/winback.toml"] == "changed"


def test_a_dry_run_says_it_all_and_writes_nothing(dev: Place, prod: Place) -> None:
    before = prod.files()
    done = prod.imported(dev.exported("winback")[1], dry_run=True)
    assert ({f.what for f in done.files}, done.written) == ({"new"}, False)
    assert prod.files() == before


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        pytest.param('floors = "text"\n', r"fields.leads.floors = 'integer' \(here it is 'text'\)", id="type"),
        pytest.param("", "lacks fields.leads.floors = 'integer'", id="field"),
    ],
)
def test_what_the_other_workspace_lacks_is_told_before_anything_is_written(
    rich: Place, prod: Place, settings: str, said: str
) -> None:
    text = prod.read("sfactl.toml").decode()
    prod.write("sfactl.toml", text.replace('floors = "integer"\n', settings))
    (prod.folder / "senders" / "outbox.toml").unlink()
    before = prod.files()
    with pytest.raises(ConfigError, match=rf"senders/outbox\.toml, .*|{said}") as err:
        prod.imported(rich.exported("offer")[1])
    assert "senders/outbox.toml" in str(err.value)
    assert prod.files() == before


def test_broken_off_in_the_middle_the_same_import_goes_on(
    dev: Place, prod: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, path = dev.exported("winback")
    written: list[Path] = []

    def failing(target: Path, content: bytes) -> None:
        if target.is_relative_to(prod.folder):
            if len(written) == 2:
                raise OSError(28, "No space left on device")
            written.append(target)
        replace_file(target, content)

    monkeypatch.setattr(placing, "replace_file", failing)
    with pytest.raises(OSError, match="No space"):
        prod.imported(path)
    assert not (prod.folder / "strategies" / "winback.toml").exists(), "what names others comes last"
    monkeypatch.undo()
    assert sorted(f.what for f in prod.imported(path).files) == ["new", "new", "same", "same"]
    assert {p: prod.read(p) for p in done.files} == {p: dev.read(p) for p in done.files}


def test_rules_that_would_not_be_right_here_are_refused_whole(dev: Place, prod: Place) -> None:
    _, path = dev.exported("winback")
    archive = unpack(path)
    segment = archive.files["segments/winback.toml"].replace(b"lost_reason", b"lost_treason")
    path.write_bytes(pack(_with(archive, {"segments/winback.toml": segment})))
    before = prod.files()
    with pytest.raises(ConfigError, match=r"segments/winback\.toml.*lost_treason"):
        prod.imported(path, check=rule_problems)
    assert prod.files() == before


def test_what_was_wrong_here_before_stops_nobody(dev: Place, prod: Place) -> None:
    prod.write("segments/broken.toml", 'schema = 1\nwhere = "contry = 1"\n')
    assert prod.imported(dev.exported("winback")[1], check=rule_problems).written


def test_a_secret_written_out_is_never_exported(dev: Place) -> None:
    dev.write("scores/fit.toml", 'schema = 1\nstrategy = "remote"\n[settings]\napi_key = "sk-123456"\n')
    with pytest.raises(ConfigError, match=r"scores/fit\.toml: settings\.api_key: a secret is written out") as err:
        dev.exported()
    assert "sk-123456" not in str(err.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param('template = "winback"', 'template = "wonback"', "steps.template: there is no templates/wonback.toml", id="template"),
        pytest.param('segment = "winback"', 'segment = "wonback"', "segment: there is no segments/wonback.toml", id="segment"),
        pytest.param('segment = "winback"', "where = \"member_of('x')\"", "where: there is no segments/x.toml", id="member_of"),
        pytest.param('segment = "winback"', 'where = "score.x > 1"', "where: there is no scores/x.toml", id="score"),
    ],
)  # fmt: skip
def test_what_a_rule_names_and_is_not_there_is_told_at_once(dev: Place, old: str, new: str, said: str) -> None:
    text = dev.read("strategies/winback.toml").decode()
    assert old in text
    dev.write("strategies/winback.toml", text.replace(old, new))
    with pytest.raises(ConfigError, match=rf"strategies/winback\.toml: {said}"):
        dev.exported("winback")


def test_unknown_names_and_kinds_are_told(dev: Place, prod: Place) -> None:
    with pytest.raises(NotFound, match="no strategy 'winbak'") as err:
        dev.exported("winbak")
    assert "winback" in str(err.value.hint)
    with pytest.raises(UserError, match="holds a campaign"):
        prod.imported(dev.exported("welcome", kind="campaign")[1])


def _with(archive: Archive, files: dict[str, bytes]) -> Archive:
    return Archive(kind=archive.kind, names=archive.names, needs=archive.needs, files={**archive.files, **files})


def _zip(**files: bytes | str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, content in files.items():
            target.writestr(name, content)
    return buffer.getvalue()


SAID = 'schema = 1\nkind = "strategy"\nnames = []\n[needs]\n[files]\n'


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param(b"", "is no archive of rules", id="empty"),
        pytest.param(os.urandom(999), "is no archive of rules", id="garbage"),
        pytest.param(_zip(), "has no contents.toml", id="no contents"),
        pytest.param(_zip(**{CONTENTS: b"\xff"}), "cannot be read", id="not text"),
        pytest.param(_zip(**{CONTENTS: "schema = 9\n"}), "schema: is 9", id="later schema"),
        pytest.param(_zip(**{CONTENTS: SAID, "../evil.toml": ""}), "is no file of rules", id="out of it"),
        pytest.param(_zip(**{CONTENTS: SAID, "/etc/evil.toml": ""}), "is no file of rules", id="absolute"),
        pytest.param(_zip(**{CONTENTS: SAID, "segments/../../e.toml": ""}), "is no file of rules", id="hidden way out"),
        pytest.param(_zip(**{CONTENTS: SAID, "segments\\e.toml": ""}), "is no file of rules", id="other slash"),
        pytest.param(_zip(**{CONTENTS: SAID, "senders/smtp.toml": ""}), "is no file of rules", id="a connection"),
        pytest.param(_zip(**{CONTENTS: SAID, "sfactl.toml": ""}), "is no file of rules", id="settings"),
        pytest.param(_zip(**{CONTENTS: SAID, ".sfactl/manifest.db": ""}), "is no file of rules", id="data"),
        pytest.param(_zip(**{CONTENTS: SAID, "assets/.bashrc": ""}), "is no file of rules", id="hidden"),
        pytest.param(_zip(**{CONTENTS: SAID, "segments/a.toml": ""}), "is not in its contents", id="not said"),
        pytest.param(_zip(**{CONTENTS: SAID + '"segments/a.toml" = "00"'}), "segments/a.toml is missing", id="missing"),
        pytest.param(
            _zip(**{CONTENTS: SAID + '"segments/a.toml" = "00"', "segments/a.toml": "x"}), "was changed", id="changed"
        ),
        pytest.param(
            _zip(**{CONTENTS: SAID, "segments/a.toml": "", "segments/A.toml": ""}),
            "is in it twice",
            id="one name twice",
        ),
        pytest.param(_zip(**{f"assets/{n}.png": "" for n in range(5_001)}), "more than 5,000 files", id="too many"),
    ],
)
def test_what_is_no_whole_archive_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "rules.zip"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said):
        unpack(path)


def test_any_byte_that_flips_is_seen(dev: Place) -> None:
    """An archive with a broken byte is refused, or its rules are the same (the byte was of the packing)."""
    _, path = dev.exported("winback")
    whole, wanted = path.read_bytes(), unpack(path)
    chance = random.Random(5)
    for _ in range(150):
        place = chance.randrange(len(whole))
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << chance.randrange(8))]) + whole[place + 1 :])
        try:
            assert unpack(path).files == wanted.files
        except SfactlError:
            continue
