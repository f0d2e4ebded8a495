"""Imported by the process that forks runners: all of them can die at a point, and none pays for these imports."""

import filelock  # noqa: F401
import jinja2.sandbox  # noqa: F401
import requests  # noqa: F401

from tests.torture.deaths import install

install()
