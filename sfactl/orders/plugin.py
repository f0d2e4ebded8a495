"""What the orders slice offers as a plugin: the ERP that is a folder of files."""

from __future__ import annotations

from collections.abc import Iterable

from sfactl.api import hookimpl
from sfactl.api.offers import ErpConnectorOffer


@hookimpl
def sfactl_erp_connectors() -> Iterable[ErpConnectorOffer]:
    """A folder of JSON files for what we push and CSV files for what an accountant keeps."""
    yield ErpConnectorOffer(
        name="files",
        summary="A folder: orders go out as JSON files, invoices and payments come in as CSV files",
        target="sfactl.orders.connectors.files:FilesConnector",
        settings="sfactl.orders.connectors.files:FilesSettings",
        capabilities=frozenset({"upsert_by_key", "unique_key"}),
    )
