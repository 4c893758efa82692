"""Lineage as W3C PROV-JSON: config → run → files → assessment → report, and the software behind it.

Source: https://www.w3.org/submissions/prov-json/ (2013).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from compliance.evidence.manifest import DataFile

NAMESPACE = "urn:datasynth:"
# IPTC's word for media made by rules or formulas alone, with no model fitted to data.
DIGITAL_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"


@dataclass(frozen=True, slots=True)
class Lineage:
    """What a dataset came from; times are left out where nobody measured them."""

    dataset: str
    engine_version: str
    config_sha256: str
    report_sha256: str
    started_at: datetime | None = None
    ended_at: datetime | None = None


def prov_document(lineage: Lineage, files: Sequence[DataFile]) -> dict[str, Any]:
    """PROV-JSON in which every file is reachable from the config, and the report from every file."""
    times = {"prov:startTime": lineage.started_at, "prov:endTime": lineage.ended_at}
    run = {key: time.isoformat() for key, time in times.items() if time}
    names = [f"ds:{file.path}" for file in files]
    return {
        "prefix": {"ds": NAMESPACE},
        "agent": {
            "ds:engine": {
                "prov:type": _name("prov:SoftwareAgent"),
                "prov:label": "DataSynth engine",
                "ds:version": lineage.engine_version,
            }
        },
        "entity": {
            "ds:config": {"prov:label": "Config", "ds:sha256": lineage.config_sha256},
            "ds:dataset": {
                "prov:type": _name("prov:Collection"),
                "prov:label": lineage.dataset,
                "ds:digitalSourceType": DIGITAL_SOURCE_TYPE,
            },
            "ds:report.json": {"prov:label": "Quality report", "ds:sha256": lineage.report_sha256},
            **{
                name: {"ds:sha256": file.sha256, "ds:rows": file.rows, "ds:bytes": file.size_bytes}
                for name, file in zip(names, files, strict=True)
            },
        },
        "activity": {
            "ds:run": {"prov:label": "Generation", **run},
            "ds:assessment": {"prov:label": "Assessment"},
        },
        "used": _numbered("u", [_used("ds:run", "ds:config"), _used("ds:assessment", "ds:dataset")]),
        "wasGeneratedBy": _numbered(
            "g",
            [_made(name, "ds:run") for name in ("ds:dataset", *names)]
            + [_made("ds:report.json", "ds:assessment")],
        ),
        "hadMember": _numbered(
            "m", [{"prov:collection": "ds:dataset", "prov:entity": name} for name in names]
        ),
        "wasDerivedFrom": _numbered(
            "d", [_derived("ds:dataset", "ds:config"), _derived("ds:report.json", "ds:dataset")]
        ),
        "wasAssociatedWith": _numbered(
            "a",
            [{"prov:activity": f"ds:{done}", "prov:agent": "ds:engine"} for done in ("run", "assessment")],
        ),
    }


def _name(qualified: str) -> dict[str, str]:
    return {"$": qualified, "type": "prov:QUALIFIED_NAME"}


def _used(activity: str, entity: str) -> dict[str, str]:
    return {"prov:activity": activity, "prov:entity": entity}


def _made(entity: str, activity: str) -> dict[str, str]:
    return {"prov:entity": entity, "prov:activity": activity}


def _derived(entity: str, source: str) -> dict[str, str]:
    return {"prov:generatedEntity": entity, "prov:usedEntity": source}


def _numbered(letter: str, relations: Sequence[Mapping[str, str]]) -> dict[str, Mapping[str, str]]:
    """Relations under blank-node names, as PROV-JSON wants them."""
    return {f"_:{letter}{number}": relation for number, relation in enumerate(relations, start=1)}
