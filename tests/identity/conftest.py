"""What the tests of identity share."""

from __future__ import annotations

from importlib.util import find_spec

# An environment made before these were needed is told so by pip, not by a hundred failures.
collect_ignore = [] if find_spec("anyascii") and find_spec("nicknames") else ["test_dedupe.py", "test_truth_sets.py"]
