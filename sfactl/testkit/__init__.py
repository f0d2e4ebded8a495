"""What plugin authors test with: suites to inherit, a workspace to throw away, and servers that misbehave on demand.

Needs pytest; the SMTP server needs aiosmtpd as well (``pip install sfactl[testkit]``).
"""

import pytest

for _name in (
    "offer_suite",
    "source_suite",
    "scoring_suite",
    "learning_suite",
    "sender_suite",
    "erp_suite",
    "intent_suite",
    "matcher_suite",
    "enricher_suite",
    "mailbox_suite",
):
    pytest.register_assert_rewrite(f"{__name__}.{_name}")

from sfactl.testkit.commands import Answered, Commands, Running  # noqa: E402 - after the rewriting is registered
from sfactl.testkit.dns_server import DnsServer  # noqa: E402
from sfactl.testkit.enricher_suite import EnricherSuite  # noqa: E402
from sfactl.testkit.erp_suite import ErpConnectorSuite  # noqa: E402
from sfactl.testkit.intent_suite import IntentSuite  # noqa: E402
from sfactl.testkit.json_server import JsonServer, Seen, ServerFault  # noqa: E402
from sfactl.testkit.learning_suite import LearningSuite  # noqa: E402
from sfactl.testkit.mailbox_suite import MailboxSuite  # noqa: E402
from sfactl.testkit.matcher_suite import MatcherSuite  # noqa: E402
from sfactl.testkit.offer_suite import OfferSuite  # noqa: E402
from sfactl.testkit.rude_server import Manner, RudeServer  # noqa: E402
from sfactl.testkit.scoring_suite import ScoringSuite  # noqa: E402
from sfactl.testkit.sender_suite import SenderSuite  # noqa: E402
from sfactl.testkit.service_process import ServiceProcess  # noqa: E402
from sfactl.testkit.smtp_sink import Delivered, SmtpSink  # noqa: E402
from sfactl.testkit.source_suite import LeadSourceSuite  # noqa: E402

__all__ = [
    "Answered",
    "Commands",
    "Delivered",
    "DnsServer",
    "EnricherSuite",
    "ErpConnectorSuite",
    "IntentSuite",
    "JsonServer",
    "LeadSourceSuite",
    "LearningSuite",
    "MailboxSuite",
    "Manner",
    "MatcherSuite",
    "OfferSuite",
    "RudeServer",
    "Running",
    "ScoringSuite",
    "Seen",
    "SenderSuite",
    "ServerFault",
    "ServiceProcess",
    "SmtpSink",
]
