"""Weigh pairs of records with splink: comparisons and blocking rules are chosen by which columns are filled."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from sfactl.api.context import PluginContext

NAMES = ("given_name", "family_name")
BLOCKS = (
    ("given_name", "family_name"),
    ("family_name", "birth_date"),
    ("given_name", "birth_date"),
    ("email",),
    ("phone",),
    ("tax_id",),
    ("company",),
    ("family_name", "postal_code"),
    ("family_name", "city"),
    ("street",),
)
"""Columns that find pairs together; sets with a column that nobody fills are left out."""
FEWEST = 3
"""Records below which there is nothing to learn from."""
SAMPLE = 1e6
LEAST = 0.01
"""Pairs below this probability are not reported."""


class SplinkMatcher:
    """A record matcher that trains a splink model on the records it is given."""

    def __init__(self, _settings: None, context: PluginContext) -> None:
        self._log = context.log

    def match(self, records: pa.Table, *, linked: bool, seed: int) -> pa.Table:
        """Pairs with probability, weight and reasons; see `sfactl.api.protocols.RecordMatcher`."""
        filled = [c for c in records.column_names if c not in ("id", "source") and records[c].null_count < len(records)]
        rules = [set_ for set_ in BLOCKS if set(set_) <= set(filled)] or [(c,) for c in filled[:3]]
        if records.num_rows < FEWEST or not filled:
            self._log("too few records for splink to learn from")
            return answer([])
        import duckdb

        with duckdb.connect() as connection:
            return answer(_predicted(connection, records, filled, rules, linked=linked, seed=seed))


def answer(rows: list[dict[str, Any]]) -> pa.Table:
    """The pairs as the protocol wants them."""
    import pyarrow as pa

    reason = pa.struct([("field", pa.string()), ("level", pa.string()), ("bits", pa.float64())])
    schema = pa.schema([
        ("a", pa.int64()), ("b", pa.int64()), ("probability", pa.float64()), ("weight", pa.float64()),
        ("reasons", pa.list_(reason)),
    ])  # fmt: skip
    return pa.Table.from_pylist(rows, schema=schema)


def _predicted(
    connection: Any, records: pa.Table, filled: list[str], rules: Sequence[tuple[str, ...]], *, linked: bool, seed: int
) -> list[dict[str, Any]]:
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on
    from splink.internals.exceptions import EMTrainingException, SplinkException

    engine = DuckDBAPI(connection=connection)
    blocks: list[Any] = [block_on(*rule) for rule in rules]
    settings = SettingsCreator(
        link_type="link_only" if linked else "dedupe_only",
        unique_id_column_name="id",
        comparisons=[_comparison(c) for c in filled],
        blocking_rules_to_generate_predictions=blocks,
        retain_intermediate_calculation_columns=True,
    )
    linker = Linker(_tables(engine, records, linked=linked), settings, log_level=50)
    with contextlib.suppress(SplinkException, ZeroDivisionError):  # nothing agrees exactly: the default prior stays
        linker.training.estimate_probability_two_random_records_match(blocks[:3], recall=0.8)
    linker.training.estimate_u_using_random_sampling(max_pairs=SAMPLE, seed=seed)
    for block in blocks[:4]:
        with contextlib.suppress(EMTrainingException):  # a rule that finds too few pairs teaches nothing
            linker.training.estimate_parameters_using_expectation_maximisation(block)
    predicted: Any = linker.inference.predict(threshold_match_probability=LEAST)
    found = predicted.as_pyarrow_table()
    return [_row(row, filled) for row in found.to_pylist()]


def _tables(engine: Any, records: pa.Table, *, linked: bool) -> Any:
    if not linked:
        return engine.register(records)
    import pyarrow.compute as pc

    sides = [records.filter(pc.equal(records["source"], s)) for s in sorted(pc.unique(records["source"]).to_pylist())]
    return [engine.register(side) for side in sides]


def _comparison(column: str) -> Any:
    import splink.comparison_library as library

    if column in NAMES:
        return library.NameComparison(column).configure(term_frequency_adjustments=True)
    if column == "email":
        return library.EmailComparison(column)
    if column in ("birth_date", "tax_id", "phone"):
        return library.DamerauLevenshteinAtThresholds(column, [1, 2])
    return library.JaroWinklerAtThresholds(column, [0.92, 0.8]).configure(term_frequency_adjustments=True)


def _row(row: dict[str, Any], filled: list[str]) -> dict[str, Any]:
    reasons: list[dict[str, Any]] = []
    for column in filled:
        bits = sum(float(row.get(f"{kind}_{column}") or 0.0) for kind in ("mw", "mw_tf_adj"))
        if row.get(f"gamma_{column}", -1) >= 0:
            reasons.append({"field": column, "level": f"level {row[f'gamma_{column}']}", "bits": bits})
    prior = float(row["match_weight"]) - sum(r["bits"] for r in reasons)
    return {
        "a": min(row["id_l"], row["id_r"]),
        "b": max(row["id_l"], row["id_r"]),
        "probability": float(row["match_probability"]),
        "weight": float(row["match_weight"]),
        "reasons": [{"field": "prior", "level": "", "bits": prior}, *reasons],
    }
