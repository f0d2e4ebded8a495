"""How messages and templates read at the prompt, and in a browser."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sfactl.campaigns.usecases.previewing import Preview
    from sfactl.campaigns.usecases.sampling import SampleResult
    from sfactl.campaigns.usecases.templates import TemplateFinding
    from sfactl.cli.emit import Output

_PAGE_STYLE = (
    "body{font:15px system-ui,sans-serif;margin:2rem auto;max-width:46rem;color:#222}"
    "h1{font-size:1rem;margin:2rem 0 .5rem}table{border-collapse:collapse}"
    "th{text-align:left;padding-right:1rem;font-weight:600;color:#666}"
    "iframe{width:100%;height:24rem;resize:vertical;border:1px solid #ccc;margin:1rem 0;background:#fff}"
    "pre{white-space:pre-wrap;background:#f6f6f6;padding:1rem;overflow-wrap:anywhere}"
)


def emit_previews(output: Output, shown: Sequence[Preview], html: Path | None) -> None:
    """Answer with the messages of a campaign or a strategy, and write the page ``html`` where it is asked for."""
    if html:
        write_page(html, shown)
    output.emit(shown, human=lambda: preview_lines(shown))


def preview_lines(shown: Iterable[Preview]) -> Iterator[str]:
    """Each message as its reader would see it."""
    for number, p in enumerate(shown):
        if number:
            yield ""
        yield f"── {p.step}{f' ({p.language})' if p.language else ''}: {p.verdict or 'now'}"
        if p.channel == "task":
            yield f"Task for {p.recipient or 'nobody'}: {p.subject}"
            continue
        yield f"From: {p.sender}"
        yield f"To: {p.recipient or '(no address)'}"
        yield f"Subject: {p.subject}"
        yield from p.headers.splitlines()
        yield ""
        yield from p.text.rstrip().splitlines()
        if p.attached:
            yield ""
            yield from (f"Goes along: {said}" for said in p.attached)


def write_page(path: Path, shown: Iterable[Preview]) -> None:
    """Messages as a page for a browser, each in a frame of its own in which nothing runs."""
    from html import escape

    parts = ['<!doctype html><meta charset="utf-8"><title>Preview</title>', f"<style>{_PAGE_STYLE}</style>"]
    for p in shown:
        head = [("From", p.sender), ("To", p.recipient), ("Subject", p.subject)]
        rows = "".join(f"<tr><th>{name}<td>{escape(value)}" for name, value in head if value)
        parts.append(f"<section><h1>{escape(p.step)}: {escape(p.verdict or 'now')}</h1><table>{rows}</table>")
        if p.html:
            html = p.html
            for content_id, url in p.pictures.items():
                html = html.replace(f"cid:{content_id}", url)
            parts.append(f'<iframe sandbox srcdoc="{escape(html)}"></iframe>')
        along = "".join(f"<li>{escape(said)}" for said in p.attached)
        parts.append(f"<pre>{escape(p.text)}</pre>{f'<ul>{along}</ul>' if along else ''}</section>")
    path.write_text("\n".join(parts) + "\n", encoding="utf-8")


def finding_lines(found: Iterable[TemplateFinding]) -> list[str]:
    """What there is to know about templates, one line each; the same about several languages is said once."""
    marks = {"ok": "✓", "warning": "!", "error": "✗"}
    said: dict[tuple[str, str, str], list[str]] = {}
    for f in found:
        said.setdefault((f.severity, f.template, f.message), []).append(f.language)
    return [
        f"{marks[severity]} {name}{_languages(languages)}: {message}"
        for (severity, name, message), languages in said.items()
    ]


def _languages(names: list[str]) -> str:
    return f" ({', '.join(names)})" if any(names) else ""


def sample_lines(result: SampleResult) -> Iterator[str]:
    """What a test sent, as whom, and what to do where the same was sent before."""
    if result.dry_run:
        yield f"Dry run: as lead {result.lead_id}, via {result.sender}, this would be sent:"
    else:
        yield f"Test of {result.campaign} as lead {result.lead_id} via {result.sender}; it counts for nobody."
    for m in result.messages:
        said = f"{m.outcome}{f': {m.detail}' if m.detail and m.outcome != 'accepted' else ''}" if m.outcome else ""
        said = said or (f"the same was sent before ({m.before})" if m.before else "")
        yield f"  {m.step} to {m.recipient}: {m.subject}{f' · {said}' if said else ''}"
    if any(m.before for m in result.messages):
        yield "To send it once more: --again"
