"""WeCom, DingTalk, LINE and Slack as their references describe them: signatures, tokens, limits and return codes.

Imports nothing of sfactl. Prints its port, serves until its stdin ends; see ``/_/`` below for what tests may ask of it.
"""

import base64
import hmac
import json
import os
import re
import sys
import threading
import uuid
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

CLOCK_MS = int(datetime(2026, 3, 2, 9, 30, tzinfo=UTC).timestamp() * 1000)
taken, requests, keys, following, tokens = [], [], {}, [], []
lock = threading.Lock()


def took(text, to, **more):
    return {"text": text, "to": to, **more}


def wecom_robot(q, headers, body):
    if q.get("key") != "wk-secret":
        return 200, {}, {"errcode": 93000, "errmsg": "invalid webhook url"}, []
    text = body[body["msgtype"]]["content"]
    if len(text.encode()) > (4096 if body["msgtype"] == "markdown" else 2048):
        return 200, {}, {"errcode": 45002, "errmsg": "content size out of limit"}, []
    return 200, {}, {"errcode": 0, "errmsg": "ok"}, [took(text, "group")]


def wecom_token(q, headers, body):
    if q != {"corpid": "ww1", "corpsecret": "wc-secret"}:
        return 200, {}, {"errcode": 40001, "errmsg": "invalid credential"}, []
    tokens.append(f"wecom-token-{len(tokens)}")
    return 200, {}, {"errcode": 0, "errmsg": "ok", "access_token": tokens[-1], "expires_in": 7200}, []


def wecom_send(q, headers, body):
    if not tokens or q.get("access_token") != tokens[-1]:
        return 200, {}, {"errcode": 40014, "errmsg": "invalid access_token"}, []
    if body["touser"] == "nobody":
        return 200, {}, {"errcode": 81013, "errmsg": "user & party & tag all invalid"}, []
    if body["touser"] == "unlicensed":
        return 200, {}, {"errcode": 0, "errmsg": "ok", "unlicenseduser": "unlicensed", "msgid": "m"}, []
    content = json.dumps(body, sort_keys=True)
    if body.get("enable_duplicate_check") == 1 and content in keys:
        return 200, {}, {"errcode": 0, "errmsg": "ok", "msgid": keys[content]}, []
    keys[content] = f"msg{len(taken)}"
    return (
        200,
        {},
        {"errcode": 0, "errmsg": "ok", "invaliduser": "", "msgid": keys[content]},
        [took(body[body["msgtype"]]["content"], body["touser"])],
    )


def wecom_user(q, headers, body):
    if not tokens or q.get("access_token") != tokens[-1]:
        return 200, {}, {"errcode": 40014, "errmsg": "invalid access_token"}, []
    who = body.get("mobile") or body.get("email", "").partition("@")[0]
    if who.startswith("missing"):
        return 200, {}, {"errcode": 46004, "errmsg": "user not exist"}, []
    return 200, {}, {"errcode": 0, "errmsg": "ok", "userid": f"id-{who}"}, []


def dingtalk_robot(q, headers, body):
    if q.get("access_token") != "dt-token":
        return 200, {}, {"errcode": 300005, "errmsg": "token is not exist"}, []
    stamp = q.get("timestamp", "0")
    mine = base64.b64encode(hmac.digest(b"SECdt", f"{stamp}\nSECdt".encode(), "sha256")).decode()
    if abs(int(stamp) - CLOCK_MS) > 3_600_000:
        return 200, {}, {"errcode": 310000, "errmsg": "invalid timestamp"}, []
    if not hmac.compare_digest(q.get("sign", ""), mine):
        return 200, {}, {"errcode": 310000, "errmsg": "sign not match"}, []
    part = body[body["msgtype"]]
    if body["msgtype"] == "markdown" and not part.get("title"):
        return 200, {}, {"errcode": 40035, "errmsg": "缺少参数 title"}, []
    text = part.get("content") or part["text"]
    if "no keyword" in text:
        return 200, {}, {"errcode": 310000, "errmsg": "keywords not in content"}, []
    return 200, {}, {"errcode": 0, "errmsg": "ok"}, [took(text, "group", title=part.get("title"))]


def dingtalk_token(q, headers, body):
    if body != {"appKey": "ding1", "appSecret": "ds-secret"}:
        return (
            400,
            {},
            {"code": "invalidClientIdOrSecret", "message": "无效的clientId或者clientSecret", "requestid": "1"},
            [],
        )
    tokens.append(f"ding-token-{len(tokens)}")
    return 200, {}, {"accessToken": tokens[-1], "expireIn": 7200}, []


def dingtalk_mobile(q, headers, body):
    if not tokens or q.get("access_token") != tokens[-1]:
        return 200, {}, {"errcode": 88, "errmsg": "ding talk error[subcode=40014,submsg=不合法的access_token]"}, []
    if body["mobile"].endswith("000"):
        return 200, {}, {"errcode": 60121, "errmsg": "找不到该用户"}, []
    return 200, {}, {"errcode": 0, "errmsg": "ok", "result": {"userid": f"id-{body['mobile']}"}}, []


def dingtalk_send(q, headers, body):
    if not tokens or headers.get("x-acs-dingtalk-access-token") != tokens[-1]:
        return 400, {}, {"code": "InvalidAuthentication", "message": "不合法的access_token"}, []
    (user,) = body["userIds"]
    lists = {
        "invalidStaffIdList": [user] if user == "nobody" else [],
        "flowControlledStaffIdList": [user] if user == "flooded" else [],
    }
    param = json.loads(body["msgParam"])
    text = param["content"] if body["msgKey"] == "sampleText" else param["text"]
    gone = user in ("nobody", "flooded")
    return 200, {}, {"processQueryKey": f"pq{len(taken)}", **lists}, [] if gone else [took(text, user)]


def line_push(q, headers, body):
    if headers.get("authorization") != "Bearer ln-token":
        return (
            401,
            {},
            {"message": "Authentication failed. Confirm that the access token in the authorization header is valid."},
            [],
        )
    if not re.fullmatch(r"[UCR][0-9a-f]{32}", body["to"]):
        return 400, {}, {"message": "The property, 'to', in the request body is invalid"}, []
    if body["to"].endswith("f"):
        return (
            400,
            {},
            {"message": "Failed to send messages", "details": [{"message": "blocked", "property": "to"}]},
            [],
        )
    key = str(uuid.UUID(headers["x-line-retry-key"]))
    request_id = str(uuid.uuid4())
    if key in keys:
        return (
            409,
            {"X-Line-Request-Id": request_id, "X-Line-Accepted-Request-Id": keys[key][0]},
            {"message": "The retry key is already accepted", "sentMessages": keys[key][1]},
            [],
        )
    keys[key] = (request_id, [{"id": f"46{len(taken)}", "quoteToken": "q"}])
    return (
        200,
        {"X-Line-Request-Id": request_id},
        {"sentMessages": keys[key][1]},
        [took(body["messages"][0]["text"], body["to"])],
    )


def slack_post(q, headers, body):
    if headers.get("authorization") != "Bearer xoxb-secret":
        return 200, {}, {"ok": False, "error": "invalid_auth"}, []
    if body["channel"] in ("nowhere", "fatal_error", "ratelimited"):
        error = {"nowhere": "channel_not_found"}.get(body["channel"], body["channel"])
        return 200, {}, {"ok": False, "error": error}, []
    return (
        200,
        {},
        {"ok": True, "channel": body["channel"], "ts": f"15.{len(taken)}", "message": {}},
        [took(body["text"], body["channel"])],
    )


def slack_member(q, headers, body):
    if headers.get("authorization") != "Bearer xoxb-secret":
        return 200, {}, {"ok": False, "error": "invalid_auth"}, []
    if q["email"].startswith("missing"):
        return 200, {}, {"ok": False, "error": "users_not_found"}, []
    return 200, {}, {"ok": True, "user": {"id": "U" + q["email"].partition("@")[0].upper()}}, []


def slack_hook(q, headers, body):
    if not body.get("text"):
        return 400, {}, "no_text", []
    return 200, {}, "ok", [took(body["text"], "channel")]


ROUTES = {
    "/cgi-bin/webhook/send": wecom_robot,
    "/cgi-bin/gettoken": wecom_token,
    "/cgi-bin/message/send": wecom_send,
    "/cgi-bin/user/getuserid": wecom_user,
    "/cgi-bin/user/get_userid_by_email": wecom_user,
    "/robot/send": dingtalk_robot,
    "/v1.0/oauth2/accessToken": dingtalk_token,
    "/topapi/v2/user/getbymobile": dingtalk_mobile,
    "/v1.0/robot/oToMessages/batchSend": dingtalk_send,
    "/v2/bot/message/push": line_push,
    "/api/chat.postMessage": slack_post,
    "/api/users.lookupByEmail": slack_member,
    "/services/T00/B00/hk-secret": slack_hook,
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        self.handle_one("GET")

    def do_POST(self):
        self.handle_one("POST")

    def handle_one(self, method):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        with lock:
            if parts.path.startswith("/_/"):
                return self.control(parts.path, raw)
            requests.append({"path": parts.path, "body": raw.decode()})
            wrong = following.pop(0) if following and parts.path not in SIDE else {}
            if wrong.get("forget_tokens"):
                tokens.append("another")
            if wrong.get("drop"):
                self.close_connection = True
                return None
            if "status" in wrong:
                return self.answer(wrong["status"], wrong.get("headers", {}), wrong.get("body"))
            headers = {k.lower(): v for k, v in self.headers.items()}
            q = {k: v[-1] for k, v in parse_qs(parts.query).items()}
            route = ROUTES.get(parts.path)
            status, more, body, delivered = (
                route(q, headers, json.loads(raw) if raw else {}) if route else (404, {}, "no_service", [])
            )
            taken.extend(delivered)
            if wrong.get("lost"):
                self.close_connection = True
                return None
        return self.answer(status, more, body)

    def control(self, path, raw):
        if path == "/_/next":
            following[:] = json.loads(raw)
        if path == "/_/reset":
            for kept in (taken, requests, keys, following, tokens):
                kept.clear()
        return self.answer(200, {}, {"taken": taken, "requests": requests})

    def answer(self, status, headers, body):
        content = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args):
        pass


SIDE = {
    "/cgi-bin/gettoken",
    "/v1.0/oauth2/accessToken",
    "/cgi-bin/user/getuserid",
    "/cgi-bin/user/get_userid_by_email",
    "/topapi/v2/user/getbymobile",
    "/api/users.lookupByEmail",
}


def until_stdin_ends():
    sys.stdin.read()
    os._exit(0)


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=until_stdin_ends, daemon=True).start()
print(server.server_address[1], flush=True)
server.serve_forever()
