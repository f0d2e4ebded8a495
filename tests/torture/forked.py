"""Imported by the process that forks runners: all of them can die at a point."""

from tests.torture.deaths import install

install()
