"""Public data sets with known duplicates, each with the mapping that a user would write to import it.

Where a file has no id of its own, its rows are numbered; the columns that tell the truth are never imported.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

Pairs = frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TruthSet:
    """One data set: files to import (by source), a mapping for each, custom fields, and the pairs that are the same.

    Ids are ``source:id``. ``linked`` says that each of the two sources is free of duplicates.
    """

    name: str
    files: Mapping[str, str]
    mappings: Mapping[str, str]
    truth: Pairs
    fields: Mapping[str, str] = field(default_factory=dict)
    linked: bool = False
    country: str = "US"
    keys: Sequence[str] = ()


def pair(a: str, b: str) -> tuple[str, str]:
    """Two ids in order."""
    return (a, b) if a < b else (b, a)


def within(clusters: Iterable[tuple[str, str]]) -> Pairs:
    """All pairs of ids (id, cluster) with one cluster."""
    groups: dict[str, list[str]] = defaultdict(list)
    for record, cluster in clusters:
        groups[cluster].append(record)
    return frozenset(pair(a, b) for g in groups.values() for a, b in combinations(g, 2))


def _read(path: Path, delimiter: str = ",") -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig") as file:
        return [
            {(k or "").strip(): (v or "").strip() for k, v in row.items()}
            for row in csv.DictReader(file, delimiter=delimiter, skipinitialspace=True)
        ]


def _csv(rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def _mapping(columns: str, more: str = "") -> str:
    return f'schema = 1\n[columns]\n{columns}\n[identity]\nkey = "external_id"\n[rejects]\nbad_values = "blank"\n{more}'


def febrl(data: Path, number: int) -> TruthSet:
    """People with many slips of the pen (FEBRL)."""
    rows = _read(data / "rl_febrl" / f"dataset{number}.csv")
    mapping = _mapping(
        'external_id = "rec_id"\nfirst_name = "given_name"\nlast_name = "surname"\n'
        'street = ["street_number", "address_1"]\ncity = "suburb"\npostal_code = "postcode"\nregion = "state"\n'
        'birth_date = "date_of_birth"\ntax_id = "soc_sec_id"\naddress_2 = "address_2"',
    )
    return TruthSet(
        name=f"febrl{number}", files={"febrl": _csv(rows, list(rows[0]))}, mappings={"febrl": mapping},
        truth=within((f"febrl:{r['rec_id']}", r["rec_id"].split("-")[1]) for r in rows),
        fields={"address_2": "text"}, country="AU",
    )  # fmt: skip


def splink_fake(data: Path) -> TruthSet:
    """People with gaps and slips (splink's fake_1000)."""
    rows = _read(data / "rl_splink" / "fake_1000.csv")
    columns = [c for c in rows[0] if c != "cluster"]
    mapping = _mapping(
        'external_id = "unique_id"\nfirst_name = "first_name"\nlast_name = "surname"\nbirth_date = "dob"\ncity = "city"\nemail = "email"'
    )
    return TruthSet(
        name="splink fake_1000", files={"fake": _csv(rows, columns)}, mappings={"fake": mapping},
        truth=within((f"fake:{r['unique_id']}", r["cluster"]) for r in rows), country="GB",
    )  # fmt: skip


def restaurants(data: Path) -> TruthSet:
    """Restaurants of two guides in one list, without phones."""
    rows = _read(data / "rl_restaurants_dedupe" / "restaurant-nophone-training.csv")
    rows = [r | {"id": str(i)} for i, r in enumerate(rows)]
    mapping = _mapping('external_id = "id"\ncompany = "name"\nstreet = "address"\ncity = "city"\nindustry = "cuisine"')
    return TruthSet(
        name="restaurants", files={"guides": _csv(rows, ["id", "name", "address", "city", "cuisine"])},
        mappings={"guides": mapping}, truth=within((f"guides:{r['id']}", r["unique_id"]) for r in rows),
    )  # fmt: skip


def senzing(data: Path) -> TruthSet:
    """People and companies of three sources, families and names in native scripts among them."""
    folder = data / "rl_senzing_truthset"
    files, mappings = {}, {}
    for source in ("customers", "reference", "watchlist"):
        rows = _read(folder / f"{source}.csv")
        have = list(rows[0])
        wanted = {
            "external_id": "RECORD_ID", "full_name": "PRIMARY_NAME_FULL", "company": "PRIMARY_NAME_ORG",
            "last_name": "PRIMARY_NAME_LAST", "first_name": "PRIMARY_NAME_FIRST", "birth_date": "DATE_OF_BIRTH",
            "email": "EMAIL_ADDRESS", "street": ["ADDR_FULL", "ADDR_LINE1"], "city": "ADDR_CITY",
            "region": "ADDR_STATE", "postal_code": "ADDR_POSTAL_CODE", "country": "ADDR_COUNTRY",
            "phone": "PHONE_NUMBER", "tax_id": "TAX_ID_NUMBER", "ssn": "SSN_NUMBER", "passport": "PASSPORT_NUMBER",
            "national_id": "NATIONAL_ID_NUMBER", "driver": "DRIVERS_LICENSE_NUMBER",
        }  # fmt: skip
        lines = []
        for name, column in wanted.items():
            present = [c for c in ([column] if isinstance(column, str) else column) if c in have]
            if present:
                said = f'"{present[0]}"' if len(present) == 1 else str(present).replace("'", '"')
                lines.append(f"{name} = {said}")
        files[source] = _csv(rows, have)
        mappings[source] = _mapping("\n".join(lines), '[file]\nday_month_order = "mdy"\n')
    truth = within(
        (f"{r['DATA_SOURCE'].lower()}:{r['RECORD_ID']}", r["CLUSTER_ID"])
        for r in _read(folder / "actual_truthset_key.csv")
    )
    fields = {"ssn": "text", "passport": "text", "national_id": "text", "driver": "text"}
    return TruthSet(name="senzing", files=files, mappings=mappings, truth=truth, fields=fields)


def _leipzig(data: Path, folder: str, names: tuple[str, str], mapping: str, fields: Mapping[str, str]) -> TruthSet:
    base = data / "rl_leipzig_jedai" / folder
    files = {n: _csv(rows := _read(base / f"{n}.csv", "|"), list(rows[0])) for n in names}
    truth = frozenset(pair(f"{names[0]}:{r['D1']}", f"{names[1]}:{r['D2']}") for r in _read(base / "gt.csv", "|"))
    return TruthSet(
        name=f"leipzig {folder}",
        files=files,
        mappings=dict.fromkeys(names, mapping),
        truth=truth,
        fields=fields,
        linked=True,
    )


def leipzig_restaurants(data: Path) -> TruthSet:
    """Restaurants of two sites: a name, or a phone, or a street."""
    made = _leipzig(data, "D1", ("rest1", "rest2"), "", {})
    mappings = {
        name: _mapping(
            f'external_id = "id"\ncompany = "{url}#name"\nphone = "{url}#phone_number"\nstreet = "{url}#street"'
        )
        for name, url in (
            ("rest1", "http://www.okkam.org/ontology_restaurant1.owl"),
            ("rest2", "http://www.okkam.org/ontology_restaurant2.owl"),
        )
    }
    return TruthSet(name=made.name, files=made.files, mappings=mappings, truth=made.truth, linked=True)


def leipzig_products(data: Path) -> TruthSet:
    """Products of two shops."""
    mapping = _mapping('external_id = "id"\ncompany = "name"\ndescription = "description"\nprice = "price"')
    return _leipzig(data, "D2", ("abt", "buy"), mapping, {"description": "text", "price": "text"})


def abt_buy(data: Path) -> TruthSet:
    """The same products, as another project has prepared them."""
    rows = {s: _read(data / "rl_abt_buy_original" / f"AbtBuy_{s.title()}.csv") for s in ("abt", "buy")}
    mapping = _mapping('external_id = "unique_id"\ncompany = "title"\ndescription = "description"\nprice = "price"')
    ids = {s: {r["unique_id"] for r in rs} for s, rs in rows.items()}
    return TruthSet(
        name="abt-buy", files={s: _csv(rs, list(rs[0])) for s, rs in rows.items()},
        mappings=dict.fromkeys(rows, mapping), fields={"description": "text", "price": "text"}, linked=True,
        truth=frozenset(pair(f"abt:{i}", f"buy:{i}") for i in ids["abt"] & ids["buy"]),
    )  # fmt: skip


SETS: Mapping[str, Callable[[Path], TruthSet]] = {
    "febrl1": lambda data: febrl(data, 1),
    "febrl3": lambda data: febrl(data, 3),
    "fake_1000": splink_fake,
    "restaurants": restaurants,
    "senzing": senzing,
    "leipzig D1": leipzig_restaurants,
    "leipzig D2": leipzig_products,
    "abt-buy": abt_buy,
}
