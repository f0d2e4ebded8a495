"""The fake JSON server serves every record once in each style, and misbehaves exactly as told."""

from __future__ import annotations

import pytest
import requests

from sfactl.testkit import JsonServer, ServerFault

RECORDS = [{"id": n, "updated": f"2026-01-0{n}"} for n in range(1, 8)]


@pytest.mark.parametrize(
    ("style", "param", "values"),
    [
        ("next-link", "start", ["0", "3", "6"]),
        ("page", "page", ["1", "2", "3"]),
        ("offset", "offset", ["0", "3", "6"]),
        ("cursor", "cursor", ["c0", "c3", "c6"]),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_every_record_is_served_once(style: str, param: str, values: list[str]) -> None:
    with JsonServer(records=RECORDS, page_size=3, style=style) as server:  # type: ignore[arg-type]
        pages = [requests.get(f"{server.url}/records", params={param: value}, timeout=5).json() for value in values]
    assert [row["id"] for page in pages for row in page["data"]["items"]] == [1, 2, 3, 4, 5, 6, 7]


def test_faults_come_in_order_and_end() -> None:
    with JsonServer(records=RECORDS) as server:
        server.fail(ServerFault(status=429, retry_after="7"), None, ServerFault(status=500))
        answers = [requests.get(f"{server.url}/records", timeout=5) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [429, 200, 500, 200]
    assert answers[0].headers["Retry-After"] == "7"


def test_a_key_seen_before_is_not_taken_again() -> None:
    with JsonServer(honours_keys=True) as server:
        answers = [
            requests.post(server.url, json={"n": 1}, headers={"Idempotency-Key": "k"}, timeout=5).json()
            for _ in range(2)
        ]
    assert answers[0] == answers[1]
    assert server.taken == [{"n": 1}]
