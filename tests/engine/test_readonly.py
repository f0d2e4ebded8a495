"""What a typed statement may do: read datasets, and nothing else."""

from __future__ import annotations

import pytest

from sfactl.api.errors import ConditionError
from sfactl.engine.readonly import check_readonly

DATASETS = ("leads", "orders")

ALLOWED = {
    "select": "select count(*) from leads",
    "semicolon": " select 1 ; ",
    "from first": "from leads select status",
    "table": "table leads",
    "values": "values (1), (2)",
    "with": "with hot as (select * from leads) select * from hot join orders using (lead_id)",
    "recursive": "with recursive t as (select 1 n union all select n + 1 from t where n < 3) select * from t",
    "union": "(select 1) union all select 2 order by 1",
    "nested": "select * from (select * from leads l where exists (select 1 from orders))",
    "window": "select *, row_number() over (partition by status) from leads qualify row_number() over () = 1",
    "describe": "describe leads",
    "describe a query": "describe select 1",
    "summarize": "summarize leads",
    "explain": "explain select * from leads",
    "explain analyze": "EXPLAIN ANALYZE select * from leads",
    "series": "select * from range(3)",
    "unnest": "select * from unnest([1, 2])",
    "name in any case": "select * from LEADS",
    "glob operator": "select email glob '*@x.org' from leads",
    "text that looks bad": "select 'copy leads to x; drop table leads' as t -- read_csv('x')",
}


@pytest.mark.parametrize("sql", ALLOWED.values(), ids=ALLOWED)
def test_reading_is_allowed(sql: str) -> None:
    assert check_readonly(sql, DATASETS) == sql.strip().rstrip(";").strip()


REFUSED = {
    "nothing": ("", "there is no statement"),
    "only a comment": ("-- hm", "one statement at a time"),
    "two": ("select 1; select 2", "one statement at a time, not 2"),
    "insert": ("insert into leads values (1)", "INSERT is not a query"),
    "update": ("update leads set owner = 'me'", "UPDATE is not a query"),
    "delete": ("delete from leads", "DELETE is not a query"),
    "create": ("create table x as select 1", "CREATE is not a query"),
    "drop": ("drop view leads", "DROP is not a query"),
    "copy": ("copy leads to 'x.csv'", "COPY is not a query"),
    "attach": ("attach 'x.db'", "ATTACH is not a query"),
    "install": ("install httpfs", "INSTALL is not a query"),
    "load": ("load httpfs", "LOAD is not a query"),
    "set": ("set threads = 1", "SET is not a query"),
    "pragma": ("pragma version", "PRAGMA is not a query"),
    "call": ("call pragma_version()", "CALL is not a query"),
    "export": ("export database", "EXPORT is not a query"),
    "explain of a write": ("explain copy leads to 'x'", "COPY is not a query"),
    "into": ("select * into x from leads", "INTO is not allowed"),
    "write inside with": ("with x as (delete from leads returning *) select * from x", ""),
    "file": ("select * from 'x.csv'", "there is no dataset 'x.csv'"),
    "quoted file": ('select * from "/etc/passwd"', "there is no dataset '/etc/passwd'"),
    "file in a subquery": ("select (select max(a) from 'x.csv')", "there is no dataset 'x.csv'"),
    "read_csv": ("select * from read_csv('x.csv')", "read_csv is not allowed"),
    "read_text": ("select content from read_text('/etc/passwd')", "read_text is not allowed"),
    "read_blob": ("select * from read_blob('x')", "read_blob is not allowed"),
    "read_parquet": ("select * from read_parquet('x')", "read_parquet is not allowed"),
    "parquet_scan": ("select * from parquet_scan('x')", "parquet_scan is not allowed"),
    "glob": ("select * from glob('*')", "glob is not allowed"),
    "sniff": ("select * from sniff_csv('x')", "sniff_csv is not allowed"),
    "query": ("select * from query('copy leads to x')", "query is not allowed"),
    "query_table": ("select * from query_table('x.csv')", "query_table is not allowed"),
    "settings": ("select * from duckdb_settings()", "duckdb_settings is not allowed"),
    "secrets": ("select * from duckdb_secrets()", "duckdb_secrets is not allowed"),
    "environment": ("select getenv('HOME')", "getenv is not allowed"),
    "setting": ("select current_setting('temp_directory')", "current_setting is not allowed"),
    "sqlite": ("select * from sqlite_scan('manifest.db', 'effects')", "sqlite_scan is not allowed"),
    "log": ("select write_log('x')", "write_log is not allowed"),
    "unknown table function": ("select * from my_function()", "my_function() is not allowed"),
    "catalog": ("select * from information_schema.tables", "there is no dataset 'information_schema.tables'"),
    "other schema": ("select * from temp.leads", "there is no dataset 'temp.leads'"),
    "unknown": ("select * from leeds", "there is no dataset 'leeds'"),
    "syntax": ("select (1", "line 1, column 9: Expecting )"),
}


@pytest.mark.parametrize(("sql", "message"), REFUSED.values(), ids=REFUSED)
def test_all_else_is_refused(sql: str, message: str) -> None:
    with pytest.raises(ConditionError) as caught:
        check_readonly(sql, DATASETS)
    assert message in caught.value.message


def test_the_nearest_dataset_is_named() -> None:
    with pytest.raises(ConditionError) as caught:
        check_readonly("select * from leeds", DATASETS)
    assert caught.value.hint == "Did you mean 'leads'?"
