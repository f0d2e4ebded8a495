"""Read the access logs of web servers: which lines are pages that a person opened, who that was, and in which session.

Left out and counted are robots, refused requests, other methods than GET, and what pages are made of (styles, scripts,
pictures). A session ends where its visitor opens no page for 30 minutes, the field's usual rule.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sfactl.engine.robots import SAY_SO
from sfactl.leads.cleaning.expression import literal
from sfactl.leads.links import PARAMETER

Format = Literal["combined", "common", "json"]
PAUSE_S = 1800
VISITOR = ("vid", "visitor_id")
"""Query parameters, keys of JSON and names of trailing fields (``vid=…``) that hold the site's own visitor id."""
_TEXT = r'((?:[^"\\]|\\.)*)'
_LINE = (
    r"^(?:[\w.-]+:\d+ )?([0-9A-Za-z.:%-]+) \S+ .*?\[(\d{1,2}/\w{3}/\d{4}:\d{2}:\d{2}:\d{2}) ?([+-]\d{4})?\] "
    rf'"{_TEXT}" (\d{{3}}) \S+(?: "{_TEXT}" "{_TEXT}")?'
)
"""The Common Log Format of Apache and NGINX, also behind a virtual host and with the fields of ``combined``."""
_PARTS = ("host", "clock", "zone", "request", "status", "referrer", "agent")
_ASSET = (
    r"(?i)\.(?:css|js|mjs|map|json|xml|png|jpe?g|gif|svg|ico|webp|avif|woff2?|ttf|eot|otf|mp[34]|webm|txt|webmanifest)$"
)
_JSON: dict[str, tuple[str, ...]] = {
    "host": ("remote_addr", "client_ip", "clientip", "ClientHost", "request.remote_ip", "ip", "host"),
    "at": ("time_iso8601", "time_local", "@timestamp", "timestamp", "time", "StartUTC", "ts", "msec"),
    "method": ("request_method", "method", "RequestMethod", "request.method"),
    "target": ("request_uri", "uri", "url", "path", "RequestPath", "request.uri"),
    "request": ("request",),
    "status": ("status", "DownstreamStatus", "OriginStatus", "response.status_code"),
    "referrer": ("http_referer", "referer", "referrer", "request_Referer", 'request.headers.Referer[0]'),
    "agent": (
        "http_user_agent", "user_agent", "agent", "useragent", 'request_User-Agent', 'request.headers.User-Agent[0]',
    ),
    "visitor": (*VISITOR, "cookie_vid", "cookie_visitor_id"),
}  # fmt: skip
"""Keys under which NGINX, Apache, Caddy and Traefik write the same in JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Lines that are no pages of people, by why."""

    robots: int = 0
    assets: int = 0
    refused: int = 0
    methods: int = 0


def parsed(lines: str, form: Format) -> str:
    """SELECT of one row a line: _row, line, host, at (UTC), method, target, status, referrer, agent, visitor, told.

    What cannot be read is null; ``told`` is whether the line names a User-Agent, null where its form has none.
    """
    return _from_json(lines) if form == "json" else _from_text(lines)


def _from_text(lines: str) -> str:
    names = ", ".join(literal(p) for p in _PARTS)
    # Cutting at the quotes costs a third of the pattern; only where a quote is inside a field the pattern is needed.
    first = "split_part(p[1], ' ', 1)"
    host = (
        f"case when contains({first}, ':') and regexp_full_match({first}, '[\\w.-]+:\\d+')"
        f" then split_part(p[1], ' ', 2) else {first} end"
    )
    clock = "split_part(split_part(p[1], '[', 2), ']', 1)"
    cut = (
        f"struct_pack(host := {host}, clock := left({clock}, 20), zone := {clock}[22:26], request := p[2],"
        " status := split_part(p[3], ' ', 2), referrer := p[4], agent := p[6])"
    )
    whole = f"regexp_extract(c0, {literal(_LINE)}, [{names}])"
    visitor = " or ".join(f"contains(c0, '{v}=')" for v in VISITOR)
    of_line = f"regexp_extract(c0, '[ \"?&;](?:{'|'.join(VISITOR)})=\"?([A-Za-z0-9_.:-]{{4,64}})', 1)"
    return (
        "select _row, line, nullif(l.host, '') as host, "
        "try_strptime(l.clock, '%d/%b/%Y:%H:%M:%S') - to_seconds(coalesce(try_cast(l.zone[1:3] as integer) * 3600"
        ' + try_cast(l.zone[1:1] || l.zone[4:5] as integer) * 60, 0)) as "at",'
        " split_part(l.request, ' ', 1) as method, split_part(l.request, ' ', 2) as target,"
        " try_cast(l.status as integer) as status, l.referrer, l.agent,"
        f" case when {visitor} then nullif({of_line}, '') end as visitor, l.agent <> '' as told"
        f" from (select _row, c0 as line, c0, case when contains(c0, '\\\"') then {whole} else {cut} end as l"
        f" from (select _row, c0, string_split(c0, '\"') as p from {lines}))"
    )


def _from_json(lines: str) -> str:
    def first(kind: str) -> str:
        paths = ", ".join(f"json_extract_string(j, {literal(_path(p))})" for p in _JSON[kind])
        return f"coalesce({paths})"

    number = "try_cast(t as double)"
    seconds = f"case when {number} > 1e11 then {number} / 1000 else {number} end"
    offset = "regexp_extract(t, '([+-]\\d{2}):?(\\d{2})$', ['h', 'm'])"
    clock = "try_strptime(regexp_extract(t, '^\\d{1,2}/\\w{3}/\\d{4}:\\d{2}:\\d{2}:\\d{2}'), '%d/%b/%Y:%H:%M:%S')"
    iso = "try_cast(left(replace(t, 'T', ' '), 19) as timestamp)"
    moved = (
        f"to_seconds(coalesce(try_cast({offset}.h as integer) * 3600"
        f" + try_cast(left({offset}.h, 1) || {offset}.m as integer) * 60, 0))"
    )
    at = f"coalesce(cast(to_timestamp({seconds}) as timestamp), coalesce({clock}, {iso}) - {moved})"
    at = at.replace(
        f"cast(to_timestamp({seconds}) as timestamp)", f"make_timestamp(cast(({seconds}) * 1000000 as bigint))"
    )
    return (
        f"select _row, line, host, {at} as \"at\", coalesce(method, split_part(request, ' ', 1)) as method,"
        " coalesce(target, split_part(request, ' ', 2)) as target, try_cast(status as integer) as status,"
        " referrer, agent, visitor, agent <> '' as told from (select _row, line,"
        f" {first('host')} as host, {first('at')} as t, {first('method')} as method, {first('target')} as target,"
        f" case when json_type(j, '$.request') = 'VARCHAR' then {first('request')} end as request,"
        f" {first('status')} as status, {first('referrer')} as referrer, {first('agent')} as agent,"
        f" {first('visitor')} as visitor"
        f" from (select _row, c0 as line, case when json_valid(c0) then cast(c0 as json) end as j from {lines}))"
    )


def _path(keys: str) -> str:
    name, bracket, index = keys.partition("[")
    parts = [name] if keys.startswith("@") or "." not in name else name.split(".")
    return "$" + "".join(f'."{p}"' for p in parts) + bracket + index


def is_broken() -> str:
    """SQL over parsed lines: can nothing be made of this one?"""
    return "(\"at\" is null or target is null or target = '' or status is null or host is null or host = '')"


def kind(forms: Sequence[str] = ()) -> str:
    """SQL over parsed lines that are whole: page, form, or why it is neither.

    A form is a POST to one of the paths in ``forms`` that was answered well: what was posted is in no log, only that it
    was.
    """
    path = "split_part(split_part(target, '?', 1), '#', 1)"
    robot = f"(told is false or agent = '-' or regexp_matches(agent, {literal(SAY_SO)}))"
    posted = " or ".join(f"{path} = {literal(form)}" for form in forms) or "false"
    return (
        f"case when method = 'POST' and status between 200 and 399 and ({posted}) and not coalesce({robot}, false)"
        " then 'form' when method <> 'GET' then 'methods'"
        " when status not between 200 and 299 and status <> 304 then 'refused'"
        f" when regexp_matches({path}, {literal(_ASSET)}) then 'assets'"
        f" when {robot} then 'robots' else 'page' end"
    )


def pages(rows: str, salt: str) -> str:
    """SELECT of pages and forms: fingerprint, at, visitor_id, page and what the address and the referrer say."""
    asked = "split_part(target, '?', 2)"
    stranger = f"left(md5({literal(salt)} || host || chr(31) || coalesce(agent, '')), 20)"
    visitor = f"coalesce(visitor, {_param(asked, *VISITOR)}, {stranger})"
    # A form and the page that it stands on have one address.
    asked_for = "target || case when what = 'form' then ' POST' else '' end"
    own = f"left(md5(concat_ws(chr(31), host, cast(\"at\" as varchar), {asked_for}, coalesce(agent, ''))), 24)"
    came = "case when referrer not in ('-', '') then referrer end"
    site = f"nullif(regexp_extract({came}, '^https?://(?:www\\.)?([^/:]+)', 1), '')"
    return (
        f'select _row, {own} as print, "at", {visitor} as visitor_id,'
        " split_part(split_part(target, '?', 1), '#', 1) as page,"
        f" {_param(asked, 'content_id', 'cid')} as content_id, {came} as referrer,"
        f" coalesce({_param(asked, 'utm_source')}, {site}) as source, {_param(asked, 'utm_medium')} as medium,"
        f" {_param(asked, 'utm_campaign')} as campaign, {_param(asked, PARAMETER)} as token,"
        f" case when what = 'form' then split_part(split_part(target, '?', 1), '#', 1) end as form from {rows}"
    )


def numbered(rows: str) -> str:
    """SELECT of the pages with their event_id: equal requests of one second are told apart by how many there are."""
    twice = f"(select print from {rows} group by 1 having count(*) > 1)"
    nth = "row_number() over (partition by print order by _row)"
    return (
        f"select 'log:' || print || ':1' as event_id, * from {rows} where print not in {twice}"
        f" union all select 'log:' || print || ':' || {nth} as event_id, * from {rows} where print in {twice}"
    )


def _param(query: str, *names: str) -> str:
    """SQL for the first of these parameters in a query; the text is only taken apart where its name occurs."""
    found = []
    for name in names:
        raw = f"regexp_extract({query}, '(?:^|&){name}=([^&]+)', 1)"
        found.append(
            f"case when contains({query}, '{name}=') then nullif(url_decode(replace({raw}, '+', ' ')), '') end"
        )
    return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"


def sessions(fresh: str, before: str) -> str:
    """SELECT of the fresh pages with session and dwell; ``before`` are known pages of the same visitors."""
    return (
        'with everything as (select event_id, "at", visitor_id, cast(null as varchar) as known, true as fresh'
        f' from {fresh} union all select event_id, "at", visitor_id, session_id as known, false as fresh'
        f" from {before}),"
        ' gaps as (select *, case when epoch("at") - epoch(lag("at") over w) <= '
        + str(PAUSE_S)
        + " then 0 else 1 end as begins,"
        ' lead("at") over w as next_at from everything window w as (partition by visitor_id order by "at", event_id)),'
        ' counted as (select *, sum(begins) over (partition by visitor_id order by "at", event_id'
        " rows between unbounded preceding and current row) as nth from gaps),"
        " named as (select *, coalesce(min(known) over s,"
        " visitor_id || '-' || cast(epoch(min(\"at\") over s) as bigint))"
        " as session_id from counted window s as (partition by visitor_id, nth))"
        ' select event_id, session_id, case when epoch(next_at) - epoch("at") <= '
        f'{PAUSE_S} then epoch(next_at) - epoch("at") end as dwell_s from named where fresh'
    )
