"""The query engine and what every floor above needs to compute: conditions, money, time."""
