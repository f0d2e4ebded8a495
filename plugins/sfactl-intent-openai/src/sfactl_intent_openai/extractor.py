"""Ask the model about each text by itself, so that no text sways what is said of another, and count what it costs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sfactl.api.context import PluginContext
from sfactl.api.errors import AuthError, PluginError, SfactlError
from sfactl.api.http import HttpSession
from sfactl.api.records import IntentLabel
from sfactl_intent_openai import prompt
from sfactl_intent_openai.settings import Settings

if TYPE_CHECKING:
    import pyarrow as pa

ATTEMPTS = 2
"""How often a model is asked that answers something unusable; the network's own retries are not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of one text: its labels, or why there are none; and the tokens, also of answers that were no use."""

    labels: dict[str, float] | None
    error: str | None = None
    model: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0


class OpenAiExtractor:
    """Implements `sfactl.api.protocols.IntentExtractor` and `LabelledExtractor`."""

    def __init__(self, settings: Settings, context: PluginContext) -> None:
        self._settings = settings
        self._context = context
        self._labels: tuple[IntentLabel, ...] = ()
        self._session: HttpSession | None = None

    def use_labels(self, labels: Sequence[IntentLabel]) -> str:
        """Take the labels. The version names the model, the prompt, and a hash of all that is sent beside the text."""
        self._labels = tuple(sorted(labels, key=lambda label: label.name))
        sent = json.dumps(self._body(""), ensure_ascii=False, sort_keys=True) + str(self._settings.longest_text)
        digest = hashlib.sha256(sent.encode()).hexdigest()[:12]
        return f"{self._settings.model}|prompt {prompt.VERSION}|{digest}"

    def extract(self, table: pa.Table) -> pa.Table:
        """One row for each label of each text; a text without an answer has a row with the reason."""
        if not self._labels:
            raise PluginError("no labels were given")
        texts = [text or "" for text in table["text"].to_pylist()]
        if texts:
            self._open()  # before there are threads that would each open one
        with ThreadPoolExecutor(self._settings.parallel) as asking:
            told = list(asking.map(self._ask, texts))
        return self._table(table["utterance_id"].to_pylist(), told)

    def _ask(self, text: str) -> Told:
        text = text[: self._settings.longest_text]
        if not text.strip():
            return Told(labels={}, model=self._settings.model)
        spent = [0, 0]
        error = ""
        for attempt in range(ATTEMPTS):
            try:
                answer = self._request(text, attempt)
                _count(answer, spent)
                labels = prompt.read(_content(answer), self._labels)
            except AuthError:
                raise
            except SfactlError as err:  # the session has retried what may be retried
                return Told(labels=None, error=err.message, input_tokens=spent[0], output_tokens=spent[1])
            except prompt.UnusableError as err:
                error = str(err)
                continue
            model = answer.get("model") if isinstance(answer.get("model"), str) else self._settings.model
            return Told(labels=labels, model=model, input_tokens=spent[0], output_tokens=spent[1])
        return Told(labels=None, error=error, input_tokens=spent[0], output_tokens=spent[1])

    def _request(self, text: str, attempt: int) -> dict[str, Any]:
        body = self._body(text)
        key = hashlib.sha256(json.dumps([body, attempt], ensure_ascii=False).encode()).hexdigest()
        # Asking again harms nobody, so the session may repeat it.
        response = self._open().request("POST", "chat/completions", json=body, idempotency_key=key)
        if response.status_code >= 300:
            raise PluginError(f"the service answered {response.status_code}: {_reason(response)}")
        try:
            answer = response.json()
        except ValueError:
            raise prompt.UnusableError("the service did not answer JSON") from None
        if not isinstance(answer, dict):
            raise prompt.UnusableError("the service's answer is no chat completion")
        return answer

    def _body(self, text: str) -> dict[str, Any]:
        settings = self._settings
        form: dict[str, Any] = {"type": "json_object"}
        if settings.json_schema:
            wanted = {"name": "intents", "strict": True, "schema": prompt.schema(self._labels)}
            form = {"type": "json_schema", "json_schema": wanted}
        return {
            "model": settings.model,
            "messages": prompt.messages(self._labels, text),
            "temperature": 0,
            "seed": 0,
            "n": 1,
            "max_tokens": settings.max_output_tokens,
            "response_format": form,
        }

    def _open(self) -> HttpSession:
        if self._session is None:
            settings = self._settings
            headers = {"Authorization": f"Bearer {self._context.secret(settings.api_key)}"} if settings.api_key else {}
            self._session = self._context.http(base_url=settings.url, headers=headers, timeout_s=settings.timeout_s)
        return self._session

    def _table(self, ids: Sequence[Any], told: Sequence[Told]) -> pa.Table:
        import pyarrow as pa

        rows: list[dict[str, Any]] = []
        for key, answer in zip(ids, told, strict=True):
            cost = (
                answer.input_tokens * self._settings.price_input + answer.output_tokens * self._settings.price_output
            ) / 1e6
            spent = {"input_tokens": answer.input_tokens, "output_tokens": answer.output_tokens, "cost": cost}
            first = {"utterance_id": key, "model": answer.model, "error": answer.error, **spent}
            rows.append({**first, "label": None, "confidence": None})
            rows += [
                {"utterance_id": key, "label": label, "confidence": sure, "model": answer.model}
                for label, sure in sorted((answer.labels or {}).items())
            ]
        types = {
            "utterance_id": pa.string(), "label": pa.string(), "confidence": pa.float64(), "model": pa.string(),
            "error": pa.string(), "input_tokens": pa.int64(), "output_tokens": pa.int64(), "cost": pa.float64(),
        }  # fmt: skip
        return pa.table({name: pa.array([row.get(name) for row in rows], kind) for name, kind in types.items()})


def _content(answer: dict[str, Any]) -> object:
    """The text of the answer. Raises `UnusableError` where the model refused or was cut off."""
    choices = answer.get("choices")
    if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0], dict):
        raise prompt.UnusableError("the service's answer is no chat completion")
    choice = choices[0]
    message = choice.get("message")
    if not isinstance(message, dict):
        raise prompt.UnusableError("the service's answer is no chat completion")
    if message.get("refusal") or choice.get("finish_reason") == "content_filter":
        raise PluginError("the model refused to answer")
    if choice.get("finish_reason") == "length":
        raise prompt.UnusableError("the model's answer was cut off; raise max_output_tokens")
    return message.get("content")


def _count(answer: dict[str, Any], spent: list[int]) -> None:
    usage = answer.get("usage")
    for place, name in enumerate(("prompt_tokens", "completion_tokens")):
        value = usage.get(name) if isinstance(usage, dict) else None
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            spent[place] += value


def _reason(response: Any) -> str:
    """What the service says is wrong, short and in one line."""
    try:
        said = response.json()["error"]["message"]
    except (ValueError, KeyError, TypeError):
        said = response.text
    return " ".join(str(said).split())[:200]
