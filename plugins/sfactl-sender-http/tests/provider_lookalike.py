"""Well-known message services as their API references describe them, strict where they are. Imports nothing of sfactl.

Prints its port, serves until its stdin ends. ``/_/state`` tells what was taken, ``/_/next`` queues answers that go
wrong: ``{"status", "headers", "body"}``, ``{"drop": true}`` or ``{"lost": true}`` (taken, and then no answer).
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

taken, requests, keys, following = [], [], {}, []
lock = threading.Lock()

SENDGRID_RESERVED = {
    "to",
    "from",
    "subject",
    "reply-to",
    "cc",
    "bcc",
    "received",
    "dkim-signature",
    "content-type",
    "content-transfer-encoding",
}


def mail(text, recipient, **more):
    return {"text": text, "recipient": recipient, **more}


def sendgrid(headers, raw):
    if headers.get("authorization") != "Bearer SG.secret":
        return 401, {}, {"errors": [{"message": "The provided authorization grant is invalid", "field": None}]}, []
    body = json.loads(raw)
    wrong = None
    kinds = [part["type"] for part in body["content"]]
    if kinds != sorted(kinds, key=["text/plain", "text/html"].index):
        wrong = "If present, text/plain must be first, followed by text/html"
    if any(not part["value"] for part in body["content"]):
        wrong = "The content value must be a string at least one character in length."
    if SENDGRID_RESERVED & {name.lower() for name in body.get("headers", {})}:
        wrong = "The headers contain a reserved header"
    to = body["personalizations"][0]["to"][0]["email"]
    if "@" not in to:
        wrong = "Does not contain a valid address."
    if body["from"].get("name") == "":
        wrong = "The from name is empty"
    if wrong:
        return 400, {}, {"errors": [{"message": wrong, "field": "x", "help": None}]}, []
    return (
        202,
        {"X-Message-Id": f"sg{len(taken)}"},
        None,
        [mail(body["subject"] + body["content"][0]["value"], to, body=body)],
    )


def postmark(headers, raw):
    if headers.get("x-postmark-server-token") != "pm-secret":
        return 401, {}, {"ErrorCode": 10, "Message": "Bad or missing API token"}, []
    answers, took = [], []
    for body in json.loads(raw):
        if body["To"].startswith("inactive"):
            answers.append(
                {"ErrorCode": 406, "Message": "You tried to send to a recipient that has been marked as inactive."}
            )
            continue
        if not all(set(h) == {"Name", "Value"} for h in body.get("Headers", [])) or any(
            len(v) > 80 for v in body["Metadata"].values()
        ):
            answers.append({"ErrorCode": 300, "Message": "Invalid email request"})
            continue
        answers.append({"ErrorCode": 0, "Message": "OK", "MessageID": str(uuid.uuid4()), "To": body["To"]})
        took.append(mail(body["Subject"] + body["TextBody"], body["To"], body=body))
    return 200, {}, answers, took


def basic(headers):
    return base64.b64decode(headers.get("authorization", "").removeprefix("Basic ")).decode()


def mailgun(headers, raw):
    if basic(headers) != "api:mg-secret":
        return 401, {}, "Forbidden", []
    body = {k: v[0] for k, v in parse_qs(raw.decode()).items()}
    if "@" not in body.get("to", ""):
        return 400, {}, {"message": "to parameter is not a valid address. please check documentation"}, []
    return (
        200,
        {},
        {"id": f"<{len(taken)}@mg.example.com>", "message": "Queued. Thank you."},
        [mail(body["subject"] + body["text"], body["to"], body=body)],
    )


def resend(headers, raw):
    if headers.get("authorization") != "Bearer re_secret":
        return 401, {}, {"statusCode": 401, "name": "missing_api_key", "message": "Missing API Key"}, []
    key = headers.get("idempotency-key", "")
    if not 1 <= len(key) <= 256:
        return 400, {}, {"statusCode": 400, "name": "invalid_idempotency_key", "message": "1-256 characters"}, []
    body = json.loads(raw)
    if key in keys:
        if keys[key][0] != raw:
            return (
                409,
                {},
                {
                    "statusCode": 409,
                    "name": "invalid_idempotent_request",
                    "message": "Same idempotency key used with a different request payload.",
                },
                [],
            )
        return 200, {}, {"id": keys[key][1]}, []
    keys[key] = (raw, str(uuid.uuid4()))
    return 200, {}, {"id": keys[key][1]}, [mail(body["subject"] + body["text"], body["to"][0], body=body)]


def twilio(headers, raw):
    if basic(headers) != "AC123:tw-secret":
        return 401, {}, {"code": 20003, "message": "Authenticate", "status": 401}, []
    body = {k: v[0] for k, v in parse_qs(raw.decode()).items()}
    if body.get("To") == "+15005550009":
        return 400, {}, {"code": 21610, "message": "Attempt to send to unsubscribed recipient", "status": 400}, []
    if body.get("To") == "+15005550007":
        return (
            400,
            {},
            {"code": 21606, "message": "The From phone number is not a valid, SMS-capable number", "status": 400},
            [],
        )
    return (
        201,
        {},
        {"sid": f"SM{len(taken)}", "status": "queued", "error_code": None},
        [mail(body["Body"], body["To"], body=body)],
    )


def own(headers, raw):
    """A receiver that takes only what is signed by the Standard Webhooks rules, of the last five minutes, and once."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    told = f"{headers.get('webhook-id')}.{headers.get('webhook-timestamp')}.".encode() + raw
    mine = "v1," + base64.b64encode(hmac.digest(secret, told, hashlib.sha256)).decode()
    if mine not in headers.get("webhook-signature", "").split(" "):
        return 400, {}, {"error": "signature"}, []
    body = json.loads(raw)
    if headers["webhook-id"] in keys:
        return 200, {}, {"id": "again"}, []
    keys[headers["webhook-id"]] = True
    return 200, {}, {"id": f"own{len(taken)}"}, [mail(body["text"], body["recipient"], body=body)]


def gateway(headers, raw):
    """An SMS gateway of the older kind: always 200, a form, a status code in the body, its key in the body too."""
    body = {k: v[0] for k, v in parse_qs(raw.decode()).items()}
    if body.get("apikey") != "gw-secret":
        return 200, {}, {"result": {"status": "-1", "text": "wrong key"}}, []
    if not body.get("dst", "").isdigit():
        return 200, {}, {"result": {"status": "7", "text": "number not valid"}}, []
    return 200, {}, {"result": {"status": "0", "id": f"gw{len(taken)}"}}, [mail(body["msg"], body["dst"], body=body)]


ROUTES = {
    "/v3/mail/send": sendgrid,
    "/email/batch": postmark,
    "/v3/mg.example.com/messages": mailgun,
    "/emails": resend,
    "/2010-04-01/Accounts/AC123/Messages.json": twilio,
    "/own": own,
    "/gateway": gateway,
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        self.answer(200, {}, {"taken": taken, "requests": requests})

    def do_POST(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.partition("?")[0]
        with lock:
            if path.startswith("/_/"):
                following[:] = json.loads(raw) if path == "/_/next" else following
                if path == "/_/reset":
                    for kept in (taken, requests, keys, following):
                        kept.clear()
                return self.answer(200, {}, {})
            headers = {k.lower(): v for k, v in self.headers.items()}
            requests.append(
                {"path": self.path, "headers": headers, "body": raw.decode("utf-8", "replace"), "at": time.time()}
            )
            wrong = following.pop(0) if following else {}
            if wrong.get("drop"):
                self.close_connection = True
                return None
            if "status" in wrong:
                return self.answer(wrong["status"], wrong.get("headers", {}), wrong.get("body"))
            status, more, body, took = (
                ROUTES[path](headers, raw) if path in ROUTES else (404, {}, {"error": "nothing here"}, [])
            )
            taken.extend(took)
            if wrong.get("lost"):
                self.close_connection = True
                return None
        return self.answer(status, more, body)

    def answer(self, status, headers, body):
        content = b"" if body is None else json.dumps(body).encode() if not isinstance(body, str) else body.encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


def until_stdin_ends():
    sys.stdin.read()
    os._exit(0)


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=until_stdin_ends, daemon=True).start()
print(server.server_address[1], flush=True)
server.serve_forever()
