"""What the writer of a mail wrote in it: its text without the quoted message below, the signature and the markup."""

from __future__ import annotations

import re
from email.message import Message
from html.parser import HTMLParser

from sfactl.feedback.fields import parts, text_of

LONGEST = 5000
"""Characters of an answer that are kept."""

_LOOKED_AT = 200_000
_QUOTE = re.compile(
    "|".join(
        (
            r"\s*>",
            r"\s*-{2,}\s*(?:original|forwarded|ursprüngliche|message d'origine|mensaje original"
            r"|原始邮件|原始郵件|元のメッセージ)",
            r"\s*_{20,}\s*$",
            r"\s*\*?(?:from|von|de|da|van|发件人|寄件者|寄件人|差出人|보낸 사람|от)\*?\s?[:：]\s?\S.*(?:@|\[mailto:)",
            r"\s*(?:on|am|le|el|il|em|op|den|在|於|于).{4,300}(?:wrote|schrieb|(?:a )?écrit|escribió"
            r"|ha scritto|escreveu|schreef|skrev|写道|寫道|写).{0,80}[:：]\s*$",
            r"\s*\d{4}\s?[年/-].{2,120}(?:wrote|のメール|：|:)\s*$",
            r".{0,120}<\S{1,200}@\S{1,200}>.{0,80}[:：]\s*$",
            r"-- ?$",
        )
    ),
    re.IGNORECASE,
)
_BEGUN = re.compile(r"\s*(?:on|am|le|el|il|em|op|den)\b|\s*[在於于]", re.IGNORECASE)
"""A line with which a quote may begin whose end (wrote:) a mail program broke into the next line."""

_UNENDED = re.compile(r"<(?=[^<>]*(?:<|$))")
_HIDDEN = frozenset({"style", "script", "head", "title", "blockquote"})
_BREAKS = frozenset({"br", "p", "div", "tr", "li", "h1", "h2", "h3", "table", "hr"})


def own_words(mail: Message) -> str:
    """The text that the writer added, at most `LONGEST` characters; empty where there is none."""
    plain = html = ""
    for part in parts(mail):
        if part.get_content_type() == "message/rfc822":
            break
        if part.get_content_maintype() != "text" or part.get_filename():
            continue
        if part.get_content_subtype() == "plain" and not plain:
            plain = text_of(part)
        elif part.get_content_subtype() == "html" and not html:
            html = text_of(part)
    text = plain if plain.strip() else shown(html)
    return without_quotes(text)[:LONGEST].strip()


def without_quotes(text: str) -> str:
    """``text`` up to where somebody else's words, or the signature, begin; lines answered in between are kept."""
    lines = text[:_LOOKED_AT].replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept = []
    for number, line in enumerate(lines):
        short = line[:400]
        if _QUOTE.match(short):
            if short.lstrip().startswith(">"):
                continue
            break
        if _BEGUN.match(short) and len(short) < 200 and number + 1 < len(lines):
            both = f"{short} {lines[number + 1][:200]}"
            if not _QUOTE.match(lines[number + 1][:400]) and _QUOTE.match(both):
                break
        kept.append(line.rstrip())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def shown(html: str, *, quotes: bool = False) -> str:
    """The text that a mail program shows; what it folds away as a quote only where ``quotes`` are asked for."""
    reader = _Text(_HIDDEN - {"blockquote"} if quotes else _HIDDEN, fold=not quotes)
    # The parser takes long over tags that never end, and over comments that do not.
    reader.feed(_UNENDED.sub(" ", _without_comments(html[:_LOOKED_AT])))
    reader.close()
    return re.sub(r"[ \t\xa0]+", " ", "".join(reader.parts))


def _without_comments(html: str) -> str:
    kept = []
    while html:
        before, begun, rest = html.partition("<!--")
        kept.append(before)
        _, ended, html = rest.partition("-->")
        if begun and not ended:
            kept.append(rest)
    return "".join(kept)


class _Text(HTMLParser):
    def __init__(self, hidden: frozenset[str], *, fold: bool) -> None:
        super().__init__(convert_charrefs=True)
        self._never = hidden
        self._fold = fold
        self.parts: list[str] = []
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        quote = self._fold and (
            "gmail_quote" in (said.get("class") or "")
            or (said.get("id") or "")
            in (
                "divRplyFwdMsg",
                "appendonsend",
            )
        )
        if self._hidden:
            self._hidden += [tag] if tag == self._hidden[0] else []
        elif tag in self._never or quote:
            self._hidden = [tag]
        elif tag in _BREAKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self._hidden and tag == self._hidden[0]:
            self._hidden.pop()
        elif tag in _BREAKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)
