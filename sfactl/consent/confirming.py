"""The mail by which somebody confirms a subscription, as files for a workspace: a campaign and its template."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

CAMPAIGN, TEMPLATE = "confirm_campaign.toml", "confirm_template.toml"


def confirmation_files(topic: str, sender: str, sent_as: str) -> Mapping[str, str]:
    """The files to write, by their path in the workspace; an empty ``topic`` is mail of any kind."""
    name = f"confirm-{topic}" if topic else "confirm"
    about = f'topic = "{topic}"\n' if topic else ""
    place = files("sfactl.consent")
    campaign = (place / CAMPAIGN).read_text(encoding="utf-8")
    for mark, text in (("@NAME@", name), ("@TOPIC@\n", about), ("@SENDER@", sender), ("@FROM@", sent_as)):
        campaign = campaign.replace(mark, text)
    template = (place / TEMPLATE).read_text(encoding="utf-8")
    return {f"campaigns/{name}.toml": campaign, f"templates/{name}.toml": template}
