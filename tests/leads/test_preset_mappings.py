"""The mappings that presets ship are whole, and read the files they are for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sfactl.config.objects import read_object
from sfactl.leads.mapping import check_fields
from sfactl.leads.model import LeadMapping
from sfactl.schemas import core_schemas

OWN = {"amazon-business": "amazon_business", "google-ads-leads": "google-ads"}
FILES = {
    "meta-leads": "id,created_time,ad_id,ad_name,adset_id,adset_name,campaign_id,campaign_name,form_id,form_name,is_organic,"
    "platform,full_name,email,phone_number\nl:1,2026-11-01T10:00:00+08:00,,,,,c:9,Spring,f:7,Catalogue,false,fb,王小明,a@example.tw,p:+886912345678\n"
    "l:2,2026-11-02T10:00:00+08:00,,,,,c:9,Spring,f:7,Catalogue,false,ig,Jo Lin,b@example.tw,\n",
    "google-ads-leads": "".join(
        json.dumps(
            {
                "lead_id": f"L{n}",
                "user_column_data": [
                    {"column_name": "Full Name", "string_value": "Jo Lin", "column_id": "FULL_NAME"},
                    {"column_name": "User Email", "string_value": f"g{n}@example.tw", "column_id": "EMAIL"},
                ],
                "api_version": "1.0",
                "form_id": 7,
                "campaign_id": 9,
                "google_key": "k",
                "is_test": False,
            }
        )
        + "\n"
        for n in (1, 2)
    ),
    "linkedin-leads": "Lead ID,Campaign Name,Form Name,Submitted At,First Name,Last Name,Email Address,Company Name,Job Title\n"
    "1,Spring,Demo,11/20/2026 10:00,Jo,Lin,a@example.tw,Beta,CEO\n2,Spring,Demo,11/21/2026 10:00,Mei,Wang,b@example.tw,Beta,\n",
    "taiwantrade": "詢價單號,聯絡人,電子郵件,公司名稱,國家,詢問內容,日期\nQ1,Jo,a@example.com,Beta,US,Price?,2026-11-20\nQ2,Al,b@example.com,Gamma,JP,MOQ?,2026-11-21\n",
    "alibaba": "询盘编号,买家姓名,邮箱,公司,国家/地区,询盘内容,询盘时间\n1,Jo,a@example.com,Beta,US,Price?,2026-11-20\n2,Al,b@example.com,Gamma,JP,MOQ?,2026-11-21\n",
    "amazon-business": "order-id\tpurchase-date\tbuyer-email\tbuyer-name\tbuyer-phone-number\tbuyer-company-name\tship-city\tship-country\n"
    "058-1\t2026-11-20T18:54:21+00:00\tx1@marketplace.amazon.com\tJo Smith\t\tBeta\tRome\tIT\n"
    "058-2\t2026-11-21T18:54:21+00:00\tx2@marketplace.amazon.com\tAl Smith\t\tBeta\tRome\tIT\n",
}
"""Rows in the form of each platform's file."""
FOLDER = Path(__file__).resolve().parents[2] / "configs" / "b2b" / "mappings"


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.toml")), ids=lambda p: p.stem)
def test_preset_mapping(desk, path: Path) -> None:
    mapping = read_object(LeadMapping, path, inject={"name": path.stem})
    if mapping.dataset not in (None, "leads"):
        pytest.skip(f"is for {mapping.dataset}, and tested there")
    check_fields(mapping, core_schemas()["leads"], where=str(path))
    needed = [c for f, c in mapping.columns.items() if f not in mapping.optional]
    assert all(isinstance(c, str) for c in needed)
    if path.stem in FILES:
        done = desk.load(FILES[path.stem], mapping=path.read_text(encoding="utf-8"), name=f"{path.stem}.txt")
        assert (done.new, done.rejected) == (2, 0)
        assert {s for (s,) in desk.leads("source")} == {
            done.file.removesuffix(".txt").split("-")[0]
        } or path.stem in OWN
        assert len(desk.leads("email")) == 2
        assert done.cleaned.get("events", 0) == (2 if mapping.touchpoint else 0)
        return
    values = {"Id": "7", "Record ID": "7", "Email": "a@example.tw", "電郵": "a@example.tw"}
    row = ",".join(values.get(str(c), "x") for c in needed)
    done = desk.load(f"{','.join(map(str, needed))}\n{row}\n", mapping=path.read_text(encoding="utf-8"))
    assert (done.new, done.not_mapped) == (1, ())


def test_a_file_is_told_its_mapping_and_nothing_is_applied(desk) -> None:
    (desk.folder / "mappings").mkdir()
    for path in FOLDER.glob("*.toml"):
        (desk.folder / "mappings" / path.name).write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    done = desk.load(FILES["meta-leads"], name="leads.csv")
    assert any("--mapping meta-leads" in n for n in done.notes)
    assert desk.leads("source")[0] == ("unknown",)
    assert not any("mapping" in n for n in desk.load("email\nz@example.tw\n", name="z.csv").notes)
