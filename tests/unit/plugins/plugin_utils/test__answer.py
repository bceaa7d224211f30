# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Rule V1: no faulty or malicious answer of an issuer is installed."""

from __future__ import annotations

import datetime as dt
import typing as t
from ipaddress import ip_address

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import pki
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied
from ansible_collections.keystead.identity.plugins.module_utils._core.key import KEY_TYPES
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import signing_hash
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Generation, Part, Subject
from ansible_collections.keystead.identity.plugins.plugin_utils._answer import LARGEST_PART, accepted
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.tests.harness import local as make
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = dt.datetime(2026, 11, 21, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
CRITICAL = ("basic", "usage")


def usage(*flags: str) -> x509.KeyUsage:
    """Return a key usage."""
    known = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip
    return x509.KeyUsage(**{flag: flag in flags for flag in known})


def named(text: str) -> x509.Name:
    """Return a name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)] if text else [])


def certificate(subject: str, issuer: str, key: t.Any, signer: t.Any, **said: t.Any) -> x509.Certificate:
    """Sign anything: `start`, `end`, and the extensions `names, basic, usage, purposes, more`, None for none."""
    builder = x509.CertificateBuilder(
        issuer_name=named(issuer), subject_name=said.get("name", named(subject)), public_key=key.public_key(),
        serial_number=x509.random_serial_number(), not_valid_before=said.get("start", NOW - DAY / 288),
        not_valid_after=said.get("end", NOW + DAY),
    )  # fmt: skip
    for what in ("names", "basic", "usage", "purposes", "more"):
        if said.get(what) is not None:
            builder = builder.add_extension(said[what], critical=what in (*CRITICAL, "more"))
    return builder.sign(signer, said.get("hash", signing_hash(signer)))


def authority(subject: str, issuer: str, number: int, signer: int, **said: t.Any) -> x509.Certificate:
    """Sign an authority."""
    defaults = {"basic": x509.BasicConstraints(ca=True, path_length=None), "usage": usage("key_cert_sign"),
                "start": NOW - 9 * DAY, "end": NOW + 9 * DAY}  # fmt: skip
    return certificate(subject, issuer, make.key(number=number), make.key(number=signer), **{**defaults, **said})


ROOT, ISSUING = authority("root", "root", 90, 90), authority("issuing", "root", 91, 90)
SAN = x509.SubjectAlternativeName(pki.alternative_names(make.WEB))
SERVER = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
GOOD: dict[str, t.Any] = {"names": SAN, "basic": x509.BasicConstraints(ca=False, path_length=None),
                          "usage": usage("digital_signature"), "purposes": SERVER}  # fmt: skip


def leaf(key: int = 0, signer: int = 91, subject: str = "", issuer: str = "issuing", **said: t.Any) -> x509.Certificate:
    """Sign the good leaf, except for what is said."""
    return certificate(subject, issuer, make.key(number=key), make.key(number=signer), **{**GOOD, **said})


def pem(*certificates: x509.Certificate) -> bytes:
    """Return PEM."""
    return b"".join(one.public_bytes(Encoding.PEM) for one in certificates)


def answer(one: x509.Certificate, *chain: x509.Certificate, **parts: bytes) -> Generation:
    """Return an answer, with other parts where said."""
    found = pki.credential(one.public_bytes(Encoding.DER))
    contents = {
        "certificate": pem(one),
        "chain": pem(*chain),
        "fullchain": pem(one, *chain),
        "roots": pem(ROOT),
        **parts,
    }
    return Generation(
        found.credential_id, found.public_id, found.not_before, found.not_after, "openbao:x",
        {name: Part(content) for name, content in contents.items()},
    )  # fmt: skip


def names(*more: x509.GeneralName) -> x509.SubjectAlternativeName:
    """Return the declared names and more."""
    return x509.SubjectAlternativeName([*SAN, *more])


def below(**said: t.Any) -> Generation:
    """Return a good leaf below a peculiar authority."""
    return answer(leaf(), authority("issuing", "root", 91, 90, **said))


CONSTRAINED = x509.NameConstraints([x509.DNSName("example.com")], None)
MALICIOUS: dict[str, t.Callable[[], Generation]] = {
    "for another key": lambda: answer(leaf(key=5), ISSUING),
    "with other names": lambda: answer(leaf(names=x509.SubjectAlternativeName([x509.DNSName("evil.org")])), ISSUING),
    "with one name more": lambda: answer(leaf(names=names(x509.DNSName("c.example.org"))), ISSUING),
    "with an IP address more": lambda: answer(leaf(names=names(x509.IPAddress(ip_address("::1")))), ISSUING),
    "with a name twice": lambda: answer(leaf(names=names(x509.DNSName("a.example.org"))), ISSUING),
    "with one name less": lambda: answer(leaf(names=x509.SubjectAlternativeName(list(SAN)[:1])), ISSUING),
    "without names": lambda: answer(leaf(names=None), ISSUING),
    "with a common name": lambda: answer(leaf(subject="a.example.org"), ISSUING),
    "with an organization": lambda: answer(
        leaf(name=x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:masters")])), ISSUING
    ),
    "that lives longer": lambda: answer(leaf(end=NOW + 3 * DAY), ISSUING),
    "that lived before": lambda: answer(leaf(start=NOW - 3 * DAY), ISSUING),
    "of the future": lambda: answer(leaf(start=NOW + DAY / 24), ISSUING),
    "that has ended": lambda: answer(leaf(start=NOW - DAY / 24, end=NOW - DAY / 48), ISSUING),
    "that is a CA": lambda: answer(leaf(basic=x509.BasicConstraints(ca=True, path_length=0)), ISSUING),
    "for clients": lambda: answer(leaf(purposes=x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])), ISSUING),
    "for clients too": lambda: answer(
        leaf(purposes=x509.ExtendedKeyUsage([*SERVER, ExtendedKeyUsageOID.CLIENT_AUTH])), ISSUING
    ),
    "for anything": lambda: answer(
        leaf(purposes=x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])), ISSUING
    ),
    "without purposes": lambda: answer(leaf(purposes=None), ISSUING),
    "without key usage": lambda: answer(leaf(usage=None), ISSUING),
    "that may sign certificates": lambda: answer(leaf(usage=usage("digital_signature", "key_cert_sign")), ISSUING),
    "that may not sign": lambda: answer(leaf(usage=usage("key_encipherment")), ISSUING),
    "with an unknown critical extension": lambda: answer(
        leaf(more=x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0")), ISSUING
    ),
    "signed by nobody we know": lambda: answer(leaf(signer=92), ISSUING),
    "self-signed": lambda: answer(leaf(signer=0, issuer="")),
    "without its chain": lambda: answer(leaf()),
    "with a chain to another root": lambda: answer(
        leaf(), authority("issuing", "root", 91, 93), authority("root", "root", 93, 93)
    ),
    "with the chain the wrong way round": lambda: answer(leaf(), ROOT, ISSUING),
    "below an authority that has ended": lambda: below(end=NOW - DAY),
    "below an authority of the future": lambda: below(start=NOW + DAY / 24),
    "below a leaf": lambda: below(basic=x509.BasicConstraints(ca=False, path_length=None), usage=None),
    "below one without basic constraints": lambda: below(basic=None),
    "below one that may not sign certificates": lambda: below(usage=usage("digital_signature")),
    "outside name constraints": lambda: below(more=CONSTRAINED),
    "below one for clients": lambda: below(purposes=x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])),
    "too deep": lambda: answer(
        leaf(signer=94, issuer="deep"),
        authority("deep", "issuing", 94, 91),
        authority("issuing", "root", 91, 90, basic=x509.BasicConstraints(ca=True, path_length=0)),
    ),
    "with a chain without end": lambda: answer(leaf(), *[ISSUING] * 20),
    "with junk for a certificate": lambda: answer(
        leaf(), ISSUING, certificate=b"junk", fullchain=b"junk" + pem(ISSUING)
    ),
    "with nothing": lambda: answer(leaf(), ISSUING, certificate=b"", fullchain=pem(ISSUING)),
    "with two leaves": lambda: answer(leaf(), ISSUING, certificate=pem(leaf(), leaf())),
    "with another fullchain": lambda: answer(leaf(), ISSUING, fullchain=pem(leaf(), ISSUING)),
    "with a private key beside it": lambda: answer(leaf(), ISSUING, private_key=b"key"),
    "without roots": lambda: answer(leaf(), ISSUING)._replace(parts={"certificate": Part(pem(leaf()))}),
    "with text in its chain": lambda: answer(leaf(), ISSUING, chain=b"{{ x }}\n" + pem(ISSUING)),
    "that is too large": lambda: answer(leaf(), ISSUING, chain=pem(ISSUING) + b"\n" * LARGEST_PART),
    "that describes another": lambda: answer(leaf(), ISSUING)._replace(credential_id="0" * 64),
    "that describes another end": lambda: answer(leaf(), ISSUING)._replace(not_after=NOW),
}


@pytest.mark.parametrize("what", MALICIOUS)
def test_an_answer_is_refused(what: str) -> None:
    with pytest.raises(Denied, match=r"^openbao:x: its answer for web is refused: "):
        accepted(MALICIOUS[what](), make.request(), make.public_id(), [ROOT.public_bytes(Encoding.DER)], NOW)


def test_the_answer_that_the_bad_ones_are_made_from_is_accepted() -> None:
    roots = [ROOT.public_bytes(Encoding.DER)]
    good = answer(leaf(), ISSUING)
    assert accepted(good, make.request(), make.public_id(), roots, NOW).credential_id == good.credential_id
    assert accepted(answer(leaf(), ISSUING, ROOT), make.request(), make.public_id(), roots, NOW)


def test_the_roots_of_an_answer_are_not_trusted_for_themselves() -> None:
    with pytest.raises(Denied, match="not signed by a pinned root"):
        accepted(answer(leaf(), ISSUING), make.request(), make.public_id(), [], NOW)


@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_every_algorithm_is_verified(key_type: str, tmp_path: t.Any) -> None:
    issuer = LocalIssuer(make.two_tiers(tmp_path, key_type))
    asked = make.request(key_type=key_type)
    (one,) = t.cast("list[Generation]", issuer.begin([asked]))
    public_id = make.public_id(0, key_type)
    assert accepted(one, asked, public_id, issuer.roots(), make.now()).public_id == public_id


@pytest.mark.parametrize(
    ("subject", "profile"),
    [
        (Subject(ip_addresses=("192.0.2.1", "2001:db8::1")), "tls_server"),
        (Subject(email_addresses=("a@example.org",)), "tls_client"),
        (Subject(uris=("spiffe://example.org/a",)), "tls_peer"),
        (Subject(common_name="only a name"), "tls_client"),
        (Subject(common_name="a.example.org", dns_names=("a.example.org", "*.example.org")), "tls_peer"),
    ],
)
def test_every_kind_of_name_and_profile_is_accepted(subject: Subject, profile: str, tmp_path: t.Any) -> None:
    issuer = LocalIssuer(make.two_tiers(tmp_path))
    asked = make.request(subject, profile=profile)
    (one,) = t.cast("list[Generation]", issuer.begin([asked]))
    assert accepted(one, asked, make.public_id(), issuer.roots(), make.now()).facts.subject == subject


def test_an_answer_for_another_profile_names_the_one_that_would_fit(tmp_path: t.Any) -> None:
    issuer, asked = LocalIssuer(make.two_tiers(tmp_path)), make.request()
    (one,) = t.cast("list[Generation]", issuer.begin([asked._replace(profile="tls_peer")]))
    with pytest.raises(Denied, match=r"client_auth, server_auth, not those of tls_server; declare profile tls_peer$"):
        accepted(one, asked, make.public_id(), issuer.roots(), make.now())
