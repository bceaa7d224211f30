# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The figures as a cryptography bill of materials, CycloneDX 1.6: certificates, their keys, and their algorithms.

It is made without a library, since the form is JSON and all of its terms that are used stand here; the tests hold it to
the published schema.
"""

from __future__ import annotations

import hashlib
import json
import re
import typing as t
import uuid

from .._actor import VERSION
from .algorithms import strength
from .signatures import ALGORITHMS, oid

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from .figures import Figures
    from .groups import Identity

MADE_AT = re.compile(rb'"timestamp": "[^"]*"')
_QUANTUM: Mapping[str, int] = {"ml-dsa-44": 2, "ml-dsa-65": 3, "ml-dsa-87": 5}
"""Categories of security (FIPS 204, table 1); what Shor's algorithm breaks has none."""
_OIDS: Mapping[str, str] = {
    "rsa": "1.2.840.113549.1.1.1", "dsa": "1.2.840.10040.4.1", "ecdsa": "1.2.840.10045.2.1", "ed25519": "1.3.101.112",
    "ed448": "1.3.101.113", "ml-dsa-44": "2.16.840.1.101.3.4.3.17", "ml-dsa-65": "2.16.840.1.101.3.4.3.18",
    "ml-dsa-87": "2.16.840.1.101.3.4.3.19",
}  # fmt: skip
_CURVES: Mapping[str, str] = {"p256": "secp256r1", "p384": "secp384r1", "p521": "secp521r1"}
_FORMATS: Mapping[str, str] = {"x509": "X.509", "ssh_host": "OpenSSH"}

Component = dict[str, t.Any]


def as_cbom(figures: Figures) -> bytes:
    """Return the bill; its serial number follows from what it lists, so the same things have the same one.

    How near harm is changes by the day, and is not in it.
    """
    listed = sorted((one for one in figures["identities"] if one["certificate"] is not None), key=_place)
    certificates, keys = _by(_ref, listed), _by(_spki, listed)
    types = sorted({one["key_type"] for one in listed if one["key_type"]})
    signed = sorted({one["signature"] for one in listed if one["signature"]})
    algorithms = [*map(_algorithm, types), *map(_signature, signed)]
    components = [*algorithms]
    components += [_key(spki, some) for spki, some in keys.items()]
    components += [_certificate(ref, some) for ref, some in certificates.items()]
    digest = hashlib.sha256(json.dumps(components, sort_keys=True).encode()).digest()
    bill = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.UUID(bytes=digest[:16], version=5)}",
        "version": 1,
        "metadata": _metadata(figures),
        "components": components,
        "dependencies": [_needs(one) for one in components],
    }
    return json.dumps(bill, indent=1).encode() + b"\n"


def _metadata(figures: Figures) -> dict[str, t.Any]:
    tool = {"type": "application", "group": "keystead", "name": "identity", "version": VERSION}
    about = {"type": "platform", "bom-ref": f"ledger/{figures['ledger_id']}", "name": figures["title"]}
    return {
        "timestamp": figures["made_at"],
        "lifecycles": [{"phase": "operations"}],
        "tools": {"components": [tool]},
        "component": about,
    }


def _algorithm(key_type: str) -> Component:
    family, _dash, variant = key_type.partition("-")
    properties: dict[str, t.Any] = {"primitive": "signature", "cryptoFunctions": ["sign", "verify"]}
    if family == "ecdsa":
        properties["curve"] = _CURVES.get(variant, variant)
    elif variant:
        properties["parameterSetIdentifier"] = variant.removeprefix("dsa-")
    bits = strength(key_type)
    properties |= {"classicalSecurityLevel": bits} if bits is not None else {}
    properties["nistQuantumSecurityLevel"] = _QUANTUM.get(key_type, 0)
    asset: Component = {"assetType": "algorithm", "algorithmProperties": properties}
    oid = _OIDS.get(key_type) or _OIDS.get(family)
    return _component(f"algorithm/{key_type}", key_type.upper(), {**asset, **({"oid": oid} if oid else {})})


def _signature(name: str) -> Component:
    """Return what certificates are signed with: its strength depends on the key of the issuer, which nobody told."""
    found = ALGORITHMS.get(oid(name) or "")
    properties: dict[str, t.Any] = {"primitive": "signature", "cryptoFunctions": ["sign", "verify"]}
    properties |= {"nistQuantumSecurityLevel": _QUANTUM.get(name.lower(), 0)} if found else {}
    asset: Component = {"assetType": "algorithm", "algorithmProperties": properties}
    return _component(f"signature/{name}", name, {**asset, **({"oid": oid(name)} if oid(name) else {})})


def _key(spki: str, users: list[Identity]) -> Component:
    one, key_type = users[0], users[0]["key_type"]
    compromised = any(each["revoked"] in ("key_compromise", "ca_compromise") for each in users)
    material: Component = {"type": "public-key", "id": spki, "state": "compromised" if compromised else "active"}
    if key_type:
        material["algorithmRef"] = f"algorithm/{key_type}"
    size = re.fullmatch(r"(?:rsa|dsa)-(\d{1,6})", key_type or "")
    material |= {"size": int(size[1])} if size else {}
    asset = {"assetType": "related-crypto-material", "relatedCryptoMaterialProperties": material}
    custody = {"properties": [{"name": "keystead:custody", "value": one["custody"]}]} if one["custody"] else {}
    return {**_component(f"key/{spki}", f"public key {spki[:16]}", asset), **custody}


def _by(mark: t.Callable[[Identity], str | None], listed: Iterable[Identity]) -> dict[str, list[Identity]]:
    """Return what has a mark by it, in its order."""
    found: dict[str, list[Identity]] = {}
    for one in listed:
        if (said := mark(one)) is not None:
            found.setdefault(said, []).append(one)
    return dict(sorted(found.items()))


def _spki(one: Identity) -> str | None:
    return t.cast("str | None", one["certificate"]["spki_sha256"])


def _place(one: Identity) -> tuple[str, ...]:
    """Return where one is, whatever the time: components are named, and told of, in this order."""
    said = [one[name] for name in ("host", "store", "name", "generation", "source", "paths")]
    return tuple(map(str, [not one["managed"], *said]))


def _ref(one: Identity) -> str:
    """Return what a certificate is known by: its digest, else its number of its issuer or key, else its place, too."""
    told = one["certificate"]
    if told["fingerprint_sha256"]:
        return f"certificate/{told['fingerprint_sha256']}"
    numbered = one["kind"] == "x509" and told["serial_number"] and (told["issuer"] or told["spki_sha256"])
    where = [] if numbered else [one[name] for name in ("host", "name", "store", "paths")]
    return f"record/{hashlib.sha256(json.dumps([told, where], sort_keys=True).encode()).hexdigest()}"


def _certificate(ref: str, places: list[Identity]) -> Component:
    one, found = places[0], places[0]["certificate"]
    said = {
        "subjectName": found["subject"], "issuerName": found["issuer"], "notValidBefore": found["not_before"],
        "notValidAfter": found["not_after"], "certificateFormat": _FORMATS.get(one["kind"]),
        "subjectPublicKeyRef": found["spki_sha256"] and f"key/{found['spki_sha256']}",
        "signatureAlgorithmRef": one["signature"] and f"signature/{one['signature']}",
    }  # fmt: skip
    asset = {
        "assetType": "certificate",
        "certificateProperties": {name: value for name, value in said.items() if value is not None},
    }
    where = sorted({_occurrence(each, path) for each in places for path in each["paths"] or [""]})
    told = [
        {"name": f"keystead:{name}", "value": str(each[name])}
        for each in places for name in ("host", "name", "service", "contact", "source") if each[name]
    ]  # fmt: skip
    return {
        **_component(ref, one["name"], asset),
        "evidence": {"occurrences": [{"location": location} for location in where]},
        "properties": told,
    }


def _occurrence(one: Identity, path: str) -> str:
    return f"{one['host'] or 'unknown'}:{path or one['store'] or one['name']}"


def _component(ref: str, name: str, asset: Component) -> Component:
    return {"type": "cryptographic-asset", "bom-ref": ref, "name": name, "cryptoProperties": asset}


def _needs(one: Component) -> dict[str, t.Any]:
    asset = one["cryptoProperties"]
    needs = (
        asset.get("certificateProperties", {}).get("subjectPublicKeyRef"),
        asset.get("certificateProperties", {}).get("signatureAlgorithmRef"),
        asset.get("relatedCryptoMaterialProperties", {}).get("algorithmRef"),
    )
    return {"ref": one["bom-ref"], "dependsOn": [ref for ref in needs if ref]}
