"""Workspaces to measure on: leads and events of a made-up world, written straight into the datasets.

``python -m tests.bench.workspace FOLDER LEADS EVENTS`` makes one, in a process of its own so that its memory is not
counted to what is measured.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.bench.model import Place, Size
from tests.bench.process import here, ran

LEADS = """
select
    person_no + 1 as lead_id, 'new' as status, email, phone, full_name, first_name, last_name, company,
    lower(company) as company_key, title, industry, employees, street, city, postal_code, country, tax_id,
    'https://' || domain as website, locale as language, time_zone, source, channel, direction, event, product_interest,
    (price * 0.8)::decimal(18, 4) as budget, first_contact_at::date as first_contact_on,
    'W' || lpad(person_no::varchar, 8, '0') as external_id, first_contact_at as created_at, first_contact_at as updated_at
from person
"""
EVENTS = 'select * exclude (person_no, external_id), person_no + 1 as lead_id from event order by "at"'


def workspace(place: Place, size: Size) -> Path:
    """A workspace with the leads and events of ``size``; made once."""
    return place.once(
        f"workspace-{size.leads}-{size.events}",
        lambda folder: ran(here("workspace", folder, size.leads, size.events)) and None,
    )


def make(folder: Path, size: Size) -> None:
    """Fill ``folder`` with a workspace of the b2b preset."""
    from sfactl.cli.main import main
    from sfactl.config.settings import Settings
    from sfactl.demo.world import World, made
    from sfactl.session import open_session

    parts = folder / "parts"
    parts.mkdir()
    with made(World(leads=size.leads, events=size.events, seed=42), memory_limit="3GB") as tables:
        tables.write_query(LEADS, parts / "leads.parquet")
        tables.write_query(EVENTS, parts / "events.parquet")
    if main(["init", str(folder / "ws"), "--preset", "b2b"]):
        raise SystemExit("no workspace")
    with open_session(folder / "ws", settings=Settings(), command="bench", actor="bench") as session:
        with session.write("leads") as tx:
            tx.upsert("leads", f"select * from read_parquet('{parts / 'leads.parquet'}')")
            tx.append("touchpoints", f"select * from read_parquet('{parts / 'events.parquet'}')")
            tx.commit()
    for part in parts.iterdir():
        part.unlink()


if __name__ == "__main__":
    make(Path(sys.argv[1]), Size(leads=int(sys.argv[2]), events=int(sys.argv[3])))
