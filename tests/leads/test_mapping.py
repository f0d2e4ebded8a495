"""Mappings: what they may say, what is refused and how that is said; headers in several languages without one."""

from __future__ import annotations

import pytest

from sfactl.api.errors import ConfigError, DataError

HEAD = "schema = 1\n[columns]\n"


def test_columns_constants_and_transforms(desk) -> None:
    desk.fields = {"stage_seen": "text"}
    mapping = """
    schema = 1
    [columns]
    email = " e-mail ADDRESS"
    full_name = ["Given", "Family"]
    city = "Place"
    industry = "Profile"
    need = "Wish"
    stage_seen = "Code"
    region = "Place"
    [constants]
    event = "Expo 2026"
    [transforms.city]
    split = "/"
    part = 2
    [transforms.region]
    split = "/"
    [transforms.industry]
    other = "other"
    [transforms.industry.values]
    "Machine Tools" = "machinery"
    [transforms.stage_seen]
    regex = "([0-9]+)"
    prefix = "S-"
    [transforms.need]
    regex = "x+"
    replace = "y"
    case = "upper"
    """
    desk.load(
        "E-Mail Address,Given,Family,Place,Profile,Wish,Code\na@example.tw,Ming,Wang,North/Taipei,machine tools,axxb,abc 42\n",
        mapping,
    )
    assert desk.leads("full_name", "city", "region", "industry", "need", "stage_seen", "event") == [
        ("Ming Wang", "Taipei", "North", "machinery", "AYB", "S-42", "Expo 2026")
    ]


WRONG = {
    "no schema": ('[columns]\nemail = "x"\n', "schema: is missing"),
    "unknown table": ("schema = 1\n[colums]\n", "colums: unknown key. Did you mean 'columns'"),
    "unknown field": (HEAD + 'emial = "email"\n', "columns.emial: unknown field of leads. Did you mean 'email'"),
    "kept field": (HEAD + 'created_at = "email"\n', "columns.created_at: created_at is kept by sfactl itself"),
    "unknown transform": (HEAD + 'email = "email"\n[transforms.email]\nspilt = ";"\n', "transforms.email.spilt: unknown key. Did you mean 'split'"),
    "transform of nothing": (HEAD + 'email = "email"\n[transforms.city]\ncase = "upper"\n', "transforms.city: the field is neither"),
    "twice": (HEAD + 'email = "email"\n[constants]\nemail = "x"\n', "email is in .columns. and in .constants."),
    "identity not mapped": (HEAD + 'email = "email"\n[identity]\nkey = "external_id"\n', "identity.key: no column is mapped to 'external_id'"),
    "identity unknown": (HEAD + 'email = "email"\n[identity]\nkey = "mail"\n', "identity.key"),
    "header row and none": (HEAD + 'email = "email"\n[file]\nheader = false\nheader_row = 2\n', "header_row is a row from 1"),
}  # fmt: skip


@pytest.mark.parametrize(("mapping", "said"), WRONG.values(), ids=WRONG)
def test_wrong_mappings(desk, mapping: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        desk.load("email\na@example.tw\n", mapping)


def test_a_column_that_is_not_there_names_the_nearest(desk) -> None:
    with pytest.raises(DataError, match=r"no column 'E-Mial' .mapping mapping: columns.email") as caught:
        desk.load("E-Mail,name\na@example.tw,Ming\n", HEAD + 'email = "E-Mial"\n')
    assert caught.value.hint == "Did you mean 'E-Mail'?"


def test_a_mapping_by_name_and_its_nearest(desk) -> None:
    (desk.folder / "mappings").mkdir()
    (desk.folder / "mappings/expo.toml").write_text(HEAD + 'email = "Mail"\n', encoding="utf-8")
    assert desk.load("Mail\na@example.tw\n", name="a.csv").new == 1
    with desk.session() as session:
        from sfactl.leads import usecases

        path = desk.write("b.csv", "Mail\nb@example.tw\n")
        assert usecases.import_files(session, [path], mapping="expo").new == 1
        with pytest.raises(ConfigError, match="there is no mapping 'exop'") as caught:
            usecases.import_files(session, [path], mapping="exop")
    assert caught.value.hint == "Did you mean expo?"


def test_unknown_fields_can_be_declared_on_the_way(desk) -> None:
    (desk.folder / "sfactl.toml").write_text('schema = 1\n# ours\n[workspace]\nname = "a"\n', encoding="utf-8")
    mapping = HEAD + 'email = "email"\nshoe_size = "shoe"\n'
    with pytest.raises(ConfigError, match=r"columns.shoe_size: unknown field") as caught:
        desk.load("email,shoe\na@example.tw,42\n", mapping)
    assert "--add-fields" in (caught.value.hint or "")
    before = (desk.folder / "sfactl.toml").read_text(encoding="utf-8")
    assert desk.load("email,shoe\na@example.tw,42\n", mapping, add_fields=True, dry_run=True).new == 1
    assert (desk.folder / "sfactl.toml").read_text(encoding="utf-8") == before
    assert desk.load("email,shoe\na@example.tw,42\n", mapping, add_fields=True).new == 1
    text = (desk.folder / "sfactl.toml").read_text(encoding="utf-8")
    assert "# ours" in text
    assert 'shoe_size = "text"' in text
    desk.fields = {"shoe_size": "text"}
    assert desk.leads("shoe_size") == [("42",)]


def test_placeholders(desk) -> None:
    content = (
        "id,city,title,country\n1,n/a,Select,-\n2,NULL,unknown,NA\n3,Taipei,Select,--\n4,,Select,\n5,Taipei,CEO,TW\n"
    )
    done = desk.load(content, HEAD + 'external_id = "id"\ncity = "city"\ntitle = "title"\ncountry = "country"\n')
    assert desk.leads("city", "title", "country") == [
        (None, "Select", None), (None, "unknown", "NA"), ("Taipei", "Select", None), (None, "Select", None), ("Taipei", "CEO", "TW"),
    ]  # fmt: skip
    assert any("'Select' in title (3)" in n and '[placeholders] values = ["Select"]' in n for n in done.notes)


def test_stated_placeholders(desk) -> None:
    mapping = (
        HEAD
        + 'external_id = "id"\ncity = "city"\ntitle = "title"\n[placeholders]\nvalues = ["select"]\n[placeholders.fields]\ncity = ["nowhere"]\n'
    )
    desk.load("id,city,title\n1,Nowhere,Select\n2,-,nowhere\n", mapping)
    assert desk.leads("city", "title") == [(None, None), (None, "nowhere")]


HEADERS = {
    "Traditional Chinese": ("公司,姓名,電郵,手機,統編,備註", ["company", "full_name", "email", "phone", "tax_id", "note"]),
    "Simplified Chinese": ("公司名称,联系人,邮箱,手机号码,省份,行业", ["company", "full_name", "email", "phone", "region", "industry"]),
    "Portuguese": ("Nome,Empresa,Telefone,Cidade,País,CNPJ", ["full_name", "company", "phone", "city", "country", "tax_id"]),
    "English of a CRM": ("First Name,Last Name,Account Name,Email Address,Zip/Postal Code,Lead Source", ["first_name", "last_name", "company", "email", None, "source"]),
    "full width": ("ＥＭＡＩＬ,Ｎａｍｅ", ["email", "full_name"]),
    "German": ("Vorname,Nachname,Firma,Telefon,PLZ,Ort", ["first_name", "last_name", "company", "phone", "postal_code", "city"]),
}  # fmt: skip


@pytest.mark.parametrize(("header", "fields"), HEADERS.values(), ids=HEADERS)
def test_headers_are_recognised(desk, header: str, fields: list[str | None]) -> None:
    columns = header.split(",")
    done = desk.load(f"{header}\n{',' * (len(columns) - 1)}\n", dry_run=True)
    assert done.mapped == {f: c for f, c in zip(fields, columns) if f}
    assert list(done.not_mapped) == [c for f, c in zip(fields, columns) if not f]


def test_nothing_recognised(desk) -> None:
    with pytest.raises(DataError, match="no column was recognised by its header") as caught:
        desk.load("alpha,beta\nx,y\n")
    assert "mappings/NAME.toml" in (caught.value.hint or "")


def test_every_header_of_the_table_is_a_field() -> None:
    from sfactl.leads.headers import known_headers
    from sfactl.leads.usecases.touches import WHO
    from sfactl.schemas import core_schemas

    schemas = core_schemas()
    for dataset in ("leads", "touchpoints"):
        assert set(known_headers(dataset).values()) <= {*schemas[dataset].types, *WHO}
