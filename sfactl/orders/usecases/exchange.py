"""The connections to ERPs that a workspace has: one file ``erp/NAME.toml`` each."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfactl.api.errors import DataError, NotFound, PluginError, SfactlError
from sfactl.api.protocols import ErpConnector
from sfactl.config.objects import build
from sfactl.orders.model import CORE_KEYS, Checked, ErpSettings
from sfactl.session import Session

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One ERP, ready to talk to."""

    name: str
    settings: ErpSettings
    connector: ErpConnector

    @property
    def scope(self) -> str:
        """Scope of its effects in the ledger, and beginning of the names of its cursors."""
        return f"erp:{self.name}"


def check(session: Session, name: str | None = None) -> Checked:
    """Ask the ERP whether it can be used; nothing is written. Errors as `connect` and the connector raise them."""
    exchange = connect(session, name)
    with contained(exchange.name):
        report = exchange.connector.check()
    return Checked(erp=exchange.name, use=exchange.settings.use, facts=report.facts, problems=report.problems)


def list_connections(session: Session) -> pa.Table:
    """One row an ERP: the connector it uses, what is there of ours, and what waits for a person."""
    import pyarrow as pa

    with session.query() as query:
        refs = {(erp, kind): n for erp, kind, n in query.rows("select erp, kind, count(*) from erp_refs group by 1, 2")}
        bills = dict(query.rows("select erp, count(*) from receivables group by 1"))
    rows: list[dict[str, Any]] = []
    for name, table in session.settings.erp.items():
        counts = session.ledger.counts(f"erp:{name}")
        rows.append(
            {"erp": name, "use": str(table.get("use", ""))}
            | {f"{kind}s": refs.get((name, kind), 0) for kind in ("customer", "product", "order")}
            | {"invoices": bills.get(name, 0), "refused": counts.get("refused", 0), "unknown": counts.get("unknown", 0)}
        )
    numbers = ("customers", "products", "orders", "invoices", "refused", "unknown")
    fields = [("erp", pa.string()), ("use", pa.string()), *((n, pa.int64()) for n in numbers)]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


def connect(session: Session, name: str | None) -> Exchange:
    """The ERP called ``name``, or the only one there is. Raises `NotFound`, `DataError`, and `ConfigError`."""
    known = session.settings.erp
    if name is None:
        if len(known) > 1:
            raise DataError(f"there are several ERPs: {', '.join(known)}", hint="Name one.")
        name = next(iter(known), None)
    if name is None or name not in known:
        near = difflib.get_close_matches(name or "", known, 1)
        hint = f"Did you mean {near[0]}?" if near else 'Add erp/NAME.toml with schema = 1 and use = "files".'
        raise NotFound(f"there is no ERP {name!r}" if name else "no ERP is set up", hint=hint)
    table, where = known[name], f"erp/{name}.toml"
    settings = build(ErpSettings, _core(table), where=where)
    own = {k: v for k, v in table.items() if k not in CORE_KEYS}
    return Exchange(
        name=name, settings=settings, connector=session.host.make("erp_connector", settings.use, own, where=where)
    )


@contextmanager
def contained(name: str) -> Iterator[None]:
    """Turn whatever a connector raises beyond sfactl's errors into a `PluginError` that names the ERP."""
    try:
        yield
    except SfactlError:
        raise
    except Exception as err:
        raise PluginError(f"the connector of {name} failed: {type(err).__name__}: {err}") from err


def _core(table: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in table.items() if k in CORE_KEYS and k != "schema"}
