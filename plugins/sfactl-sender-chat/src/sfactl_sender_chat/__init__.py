"""Offer senders for chat services: to a person through an app or bot, or to a group through its robot."""

from collections.abc import Iterator

from sfactl.api import hookimpl
from sfactl.api.offers import TouchpointSenderOffer

SFACTL_API = "1.0"


@hookimpl
def sfactl_touchpoint_senders() -> Iterator[TouchpointSenderOffer]:
    """WeCom, DingTalk, LINE and Slack."""
    yield _offer("wecom", "wecom", "WeCom", "A WeCom member, through an app of the company", "corp_secret")
    yield _offer("wecom-robot", "wecom", "WeComRobot", "A WeCom group, through its robot", "key")
    yield _offer("dingtalk", "dingtalk", "DingTalk", "A DingTalk member, through an app's robot", "app_secret")
    yield _offer("dingtalk-robot", "dingtalk", "DingTalkRobot", "A DingTalk group, signed", "access_token", "secret")
    yield _offer("line", "line", "Line", "A friend of a LINE Official Account", "channel_token")
    yield _offer("slack", "slack", "Slack", "A Slack member or channel, through a bot", "bot_token")
    yield _offer("slack-webhook", "slack", "SlackWebhook", "A Slack channel, through its webhook", "hook")


def _offer(name: str, module: str, prefix: str, summary: str, *secrets: str) -> TouchpointSenderOffer:
    more = ("setting:contacts_url",) if name == "dingtalk" else ()
    return TouchpointSenderOffer(
        name=name,
        summary=summary,
        target=f"sfactl_sender_chat.{module}:{prefix}Sender",
        settings=f"sfactl_sender_chat.{module}:{prefix}Settings",
        hosts=("setting:url", *more),
        secrets=secrets,
        channel=module,
    )
