"""What is built in keeps the same contract as plugins: the suites for authors are run on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from sfactl.api.records import Ref
from sfactl.host import Host
from sfactl.host.builtin import BUILTIN
from sfactl.host.conformance import report_on
from sfactl.testkit import EnricherSuite, ErpConnectorSuite, LearningSuite, SenderSuite
from sfactl.testkit.erp_suite import CUSTOMER, ORDER


def test_every_built_in_plugin_keeps_the_contract(tmp_path: Path) -> None:
    assert Host(folder=tmp_path, origins=()).faults == ()
    reports = [report_on(info) for info in Host(folder=tmp_path, origins=()).plugins()]
    assert [check for report in reports for check in report.checks if check.verdict == "failed"] == []


class TestMaildir(SenderSuite):
    plugin = BUILTIN["campaigns"]
    offer = "maildir"
    pattern = "*.eml"

    @pytest.fixture(autouse=True)
    def folder(self, workspace: Path) -> Iterator[None]:
        self.workspace_folder = workspace
        yield

    def delivered(self) -> Sequence[str]:
        folder = self.workspace_folder / "outbox"
        return [path.read_text(encoding="utf-8") for path in folder.rglob(self.pattern)]


class TestFrequencies(LearningSuite):
    plugin = BUILTIN["scoring"]
    offer = "frequency"


class TestFileEnricher(EnricherSuite):
    plugin = BUILTIN["leads"]
    offer = "file"
    known: ClassVar[Mapping[str, str]] = {"email_domain": "acme.example", "website_domain": "acme.example"}

    @pytest.fixture
    def settings(self, workspace: Path) -> Mapping[str, Any]:
        (workspace / "companies.csv").write_text("domain,Industry,Employees\nacme.example,Machines,40\n")
        columns = {"industry": "Industry", "employees": "Employees"}
        return {"file": "companies.csv", "key": "domain", "columns": columns}


class TestOutboxFile(TestMaildir):
    offer = "file"
    pattern = "*.json"


class TestFilesErp(ErpConnectorSuite):
    plugin = BUILTIN["orders"]
    offer = "files"
    checks_customers = False
    settles_at_once = False

    @pytest.fixture(autouse=True)
    def books(self, workspace: Path) -> None:
        self.books_folder = workspace / "erp-files"
        self.books_folder.mkdir()

    def invoice(self, connector: Any, order: Ref) -> None:
        head = "id,number,order,customer,invoiced_on,due_on,currency,amount,open_amount,state"
        row = f"I1,INV-1,{ORDER},{CUSTOMER},2026-03-01,2026-03-31,USD,165.00,165.00,posted"
        (self.books_folder / "invoices.csv").write_text(f"{head}\n{row}\n", encoding="utf-8")
