# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A report for programs: metrics in Prometheus's text format, and a bill of materials that fits CycloneDX's schema."""

from __future__ import annotations

import json
import re
import typing as t
from datetime import datetime, timedelta

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_report.cbom import as_cbom
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_report.figures import figures
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_report.metrics import as_metrics
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.moments import stamp
from ansible_collections.keystead.identity.plugins.plugin_utils._records.files import read
from ansible_collections.keystead.identity.tests.harness import estate
from ansible_collections.keystead.identity.tests.harness.estate import NOW

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.one_core

SAMPLE = re.compile(r'([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\})? (-?\d+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\\n]|\\[\\"n])*)"')
_MEANT = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}

Labels = frozenset[tuple[str, str]]


def parsed(content: bytes) -> dict[str, dict[Labels, int]]:
    """Read what a collector would read, as strictly: each name in one block after its type, no sample twice."""
    found: dict[str, dict[Labels, int]] = {}
    lines = content.decode().split("\n")
    assert lines.pop() == "", "the last line ends"
    typed = ""
    for line in lines:
        if line.startswith("# TYPE "):
            typed = line.split(" ")[2]
            assert typed not in found
            found[typed] = {}
        elif not line.startswith("# HELP "):
            sample = SAMPLE.fullmatch(line)
            assert sample, line
            assert sample[1] == typed
            labels = frozenset((name, re.sub(r"\\.", lambda one: _MEANT[one[0]], said))
                               for name, said in LABEL.findall(sample[2] or ""))  # fmt: skip
            assert labels not in found[typed], line
            found[typed][labels] = int(sample[3])
    return found


def of(found: dict[str, dict[Labels, int]], metric: str, /, **labels: str) -> int:
    """Return the one sample that has these labels."""
    (value,) = (value for key, value in found[metric].items() if labels.items() <= dict(key).items())
    return value


def test_metrics_say_when_each_place_ends_and_what_has_ended_stays() -> None:
    rows = estate.rows(3)
    ended = rows[1]._replace(host="gone.example.org", not_after=stamp(NOW - timedelta(days=90)))
    found = parsed(as_metrics(figures(estate.known([rows[0], ended, rows[2]]), NOW)))
    ends = "keystead_identity_not_after_timestamp_seconds"
    assert of(found, ends, host="gone.example.org") == int((NOW - timedelta(days=90)).timestamp())
    assert len(found[ends]) == 3
    assert of(found, "keystead_identities", risk="critical") == 1
    assert of(found, "keystead_report_made_timestamp_seconds") == int(NOW.timestamp())


def test_one_place_with_several_generations_in_use_has_one_sample_for_what_ends_first() -> None:
    (row,) = estate.rows(1)
    old = row._replace(key=("", 0, 99), generation=1, not_after=stamp(NOW + timedelta(days=1)))
    found = parsed(as_metrics(figures(estate.known([row, old]), NOW)))
    samples = found["keystead_identity_not_after_timestamp_seconds"]
    assert list(samples.values()) == [int((NOW + timedelta(days=1)).timestamp())]


def test_metrics_of_two_ledgers_can_stand_in_one_directory() -> None:
    both = [parsed(as_metrics(figures(estate.known(estate.rows(9), ledger_id=name), NOW))) for name in ("a", "b")]
    for metric, samples in both[0].items():
        assert samples.keys().isdisjoint(both[1][metric].keys())


def test_metrics_of_a_large_site_and_of_hostile_names_can_be_read_and_none_is_there_twice() -> None:
    found = parsed(as_metrics(estate.made(3000)))
    assert sum(found["keystead_identities"].values()) == 3000
    assert of(found, "keystead_uncovered", what="rogue") == 1
    assert of(found, "keystead_backend_up", name="est") == 0
    names = {dict(labels)["host"] for labels in parsed(as_metrics(figures(estate.known(estate.hostile()), NOW)))[
        "keystead_identity_risk_score"]}  # fmt: skip
    assert names == set(estate.HOSTILE)


def validated(content: bytes) -> dict[str, t.Any]:
    """Return a bill of materials that fits the schema of CycloneDX 1.6, strictly."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(content.decode())
    assert error is None, error
    return t.cast("dict[str, t.Any]", json.loads(content))


def test_a_bill_of_materials_fits_the_schema_and_all_that_it_refers_to_is_in_it() -> None:
    bill = validated(as_cbom(estate.made(300)))
    refs = [one["bom-ref"] for one in bill["components"]]
    assert len(refs) == len(set(refs))
    needed = {ref for one in bill["dependencies"] for ref in one["dependsOn"]}
    assert needed <= set(refs)
    kinds = [one["cryptoProperties"]["assetType"] for one in bill["components"]]
    assert kinds.count("certificate") == 300
    assert kinds.count("algorithm") == len({row.key_type for row in estate.rows(300)}) + 1, "and one of signatures"
    ready = next(one for one in bill["components"] if one["bom-ref"] == "algorithm/ml-dsa-65")["cryptoProperties"]
    assert ready["oid"] == "2.16.840.1.101.3.4.3.18"
    assert ready["algorithmProperties"]["nistQuantumSecurityLevel"] == 3
    curve = next(one for one in bill["components"] if one["bom-ref"] == "algorithm/ecdsa-p256")["cryptoProperties"]
    assert curve["algorithmProperties"]["curve"] == "secp256r1"
    assert curve["algorithmProperties"]["nistQuantumSecurityLevel"] == 0


def test_a_certificate_in_two_places_is_one_component_with_both() -> None:
    (row,) = estate.rows(1)
    copy = row._replace(key=("", 1, 1), managed=False, host="lb1", issuer_id=None, custody=None, source="a.csv:2")
    bill = validated(as_cbom(figures(estate.known([row, copy]), NOW)))
    (one,) = (each for each in bill["components"] if each["bom-ref"].startswith("certificate/"))
    assert [each["location"] for each in one["evidence"]["occurrences"]] == [
        "lb1:/etc/ssl/web.pem", f"{row.host}:/etc/ssl/web.pem",
    ]  # fmt: skip


def test_what_only_a_record_told_of_and_hostile_names_fit_the_schema_too() -> None:
    bare = estate.rows(5)[4]._replace(
        fingerprint=None, spki=None, key_type=None, subject=None, issuer=None, not_before=None, serial_number=None
    )
    bill = validated(as_cbom(figures(estate.known([bare, *estate.hostile()]), NOW)))
    records = [one for one in bill["components"] if one["bom-ref"].startswith("record/")]
    assert [one["name"] for one in records] == [bare.name]


def test_records_of_one_line_are_as_many_certificates(tmp_path: Path) -> None:
    ends = "2027-05-01T00:00:00Z"
    bare = [{"name": f"switch{number}", "host": f"sw{number}", "not_after": ends} for number in range(30)]
    numbered = [{**one, "serial_number": "1f", "issuer": f"CN=CA {number}"} for number, one in enumerate(bare)]
    twice = {**numbered[0], "host": "standby"}
    (tmp_path / "all.json").write_text(json.dumps([*bare, *numbered, twice]))
    bill = validated(as_cbom(figures(estate.known(read([str(tmp_path / "all.json")])), NOW)))
    places = [sorted(each["location"] for each in one["evidence"]["occurrences"]) for one in bill["components"]]
    assert len(places) == 60
    assert places.count(["standby:switch0", "sw0:switch0"]) == 1, "one number of one issuer is one certificate"
    assert sum(map(len, places)) == 61


def test_the_same_things_have_the_same_serial_number_whenever_it_is_asked() -> None:
    rows = estate.rows(60)
    twin = rows[0]._replace(key=("", 1, 99), managed=False, host="lb1", contact=None, source="a.csv:2")
    known = estate.known([*rows, twin])
    first, later = (json.loads(as_cbom(figures(known, NOW + timedelta(days=days)))) for days in (0, 40))
    other = json.loads(as_cbom(figures(estate.known(rows), NOW)))
    assert first["serialNumber"] == later["serialNumber"] != other["serialNumber"]
    assert datetime.fromisoformat(later["metadata"]["timestamp"]) == NOW + timedelta(days=40)
