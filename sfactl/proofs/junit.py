"""A report as JUnit XML, the form that CI services read. Pure.

The elements are those of the schema that Jenkins publishes: testsuites, testsuite, testcase, failure, error.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from sfactl.proofs.model import Failure, Report

_FORBIDDEN = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 (section 2.2) cannot hold."""


def junit_xml(report: Report) -> bytes:
    """One suite for each file, one case for each trial, an error for each test that cannot be run."""
    failed = {(failure.file, failure.test, failure.case): failure for failure in report.failures}
    root = ET.Element("testsuites", name="sfactl strategy test", time=f"{report.seconds:.3f}")
    names = dict.fromkeys([*(o.file for o in report.outcomes), *(i.file for i in report.invalid)])
    for name in names:
        own = [outcome for outcome in report.outcomes if outcome.file == name]
        broken = [invalid for invalid in report.invalid if invalid.file == name]
        suite = ET.SubElement(root, "testsuite", name=_text(name))
        shown = 0
        for outcome in own:
            failure = failed.get((outcome.file, outcome.test, outcome.case))
            if not outcome.passed and failure is None:
                continue  # it could not be run: an error stands for it
            shown += 1
            title = f"{outcome.test} · {outcome.case}" if outcome.case else outcome.test
            case = ET.SubElement(suite, "testcase", classname=_text(outcome.rule), name=_text(title), file=_text(name))
            if failure is not None:
                element = ET.SubElement(case, "failure", message=_text(_message(failure)))
                element.text = _text("\n".join([*_lines(failure), *failure.explanation, failure.hint]).strip())
        for invalid in broken:
            case = ET.SubElement(suite, "testcase", classname="invalid", name=_text(invalid.message[:200]))
            ET.SubElement(case, "error", message=_text(invalid.message))
        suite.set("tests", str(shown + len(broken)))
        suite.set("failures", str(sum(1 for f in report.failures if f.file == name)))
        suite.set("errors", str(len(broken)))
    root.set("tests", str(sum(int(suite.get("tests", "0")) for suite in root)))
    root.set("failures", str(len(report.failures)))
    root.set("errors", str(len(report.invalid)))
    ET.indent(root)
    document: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return document + b"\n"


def _message(failure: Failure) -> str:
    return "; ".join(_lines(failure))


def _lines(failure: Failure) -> list[str]:
    return [f"{d.what}: expected {d.expected}, but it is {d.actual}" for d in failure.differences]


def _text(text: str) -> str:
    return _FORBIDDEN.sub("�", text)
