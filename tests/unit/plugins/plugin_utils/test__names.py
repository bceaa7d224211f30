# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Names are brought to the form in which they stand in a certificate, or refused with a remedy."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Subject
from ansible_collections.keystead.identity.plugins.plugin_utils import _names
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

NOTHING: dict[str, t.Any] = dict.fromkeys(("common_name", "dns_names", "ip_addresses", "uris", "email_addresses"))


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("WWW.Example.ORG", "www.example.org"),
        ("localhost", "localhost"),
        ("*.example.org", "*.example.org"),
        ("bücher.example.org", "xn--bcher-kva.example.org"),
        ("BÜCHER.example.org", "xn--bcher-kva.example.org"),
        ("*.bücher.example.org", "*.xn--bcher-kva.example.org"),
        ("faß.example.org", "xn--fa-hia.example.org"),
        ("XN--BCHER-KVA.example.org", "xn--bcher-kva.example.org"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("1.example.org", "1.example.org"),
        ("a" * 63 + ".example.org", "a" * 63 + ".example.org"),
    ],
)
def test_a_dns_name_becomes_lower_case_and_a_labels(written: str, name: str) -> None:
    assert _names.dns_name(written) == name


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("foo_bar.example.org", "an underscore is not permitted; write a hyphen"),
        ("www.*.example.org", "a wildcard is only the whole first label; write *.example.org"),
        ("w*.example.org", "a wildcard is only the whole first label"),
        ("*", "a wildcard is only the whole first label"),
        ("*.*.example.org", "a wildcard is only the whole first label"),
        ("www.example.org.", "it ends with a dot; write it without"),
        ("192.0.2.1", "it looks like an IP address; write it in ip_addresses"),
        ("2001:db8::1", "it looks like an IP address; write it in ip_addresses"),
        ("a" * 64 + ".example.org", "it is too long; write at most 253 characters in labels of at most 63"),
        (".".join(["a" * 60] * 5), "it is too long"),
        ("www..example.org", "a label is empty; write one dot between labels"),
        ("", "a label is empty"),
        (".example.org", "a label is empty"),
        ("-www.example.org", "write letters, digits and hyphens, none at the end of a label"),
        ("www.example.org\n", "write letters, digits and hyphens"),
        ("www example.org", "write letters, digits and hyphens"),
        ("https://example.org", "it is a URL"),
        ("ab--cd.example.org", "Label has disallowed hyphens in 3rd and 4th position; write it as IDNA 2008"),
        ("xn--zzzzzzzzzz99.example.org", "; write it as IDNA 2008"),
        ("☃.example.org", "; write it as IDNA 2008"),
        ("a\u202eb.example.org", "; write it as IDNA 2008"),
    ],
)
def test_what_is_not_a_dns_name_is_refused_with_the_reason(written: str, says: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        _names.dns_name(written)
    assert f"{written[:80]!r} is not a DNS name: " in str(refused.value)
    assert says in str(refused.value)


@given(st.text(max_size=40))
def test_a_name_that_passes_is_one_that_a_certificate_can_hold_and_that_stays(written: str) -> None:
    try:
        name = _names.dns_name(written)
    except Misconfigured:
        return
    assert x509.DNSName(name).value == name == _names.dns_name(name)


@pytest.mark.parametrize(
    ("written", "address"),
    [("192.0.2.1", "192.0.2.1"), ("2001:DB8:0:0::0001", "2001:db8::1"), ("::1", "::1")],
)
def test_an_address_becomes_canonical(written: str, address: str) -> None:
    assert _names.ip_address(written) == address


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("192.0.2.0/24", "is not an IP address; write one address without a prefix length"),
        ("192.0.2.256", "is not an IP address; write an IPv4 or IPv6 address"),
        ("192.0.2.01", "is not an IP address"),
        ("www.example.org", "is not an IP address"),
        ("fe80::1%eth0", "has a zone, which no certificate can name; write it without %"),
        ("::ffff:192.0.2.1", "is an IPv4 address in disguise; write 192.0.2.1"),
    ],
)
def test_what_is_not_an_address_is_refused(written: str, says: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        _names.ip_address(written)
    assert str(refused.value).startswith(f"{written!r} {says}")


@pytest.mark.parametrize("uri", ["spiffe://example.org/web", "urn:uuid:f81d4fae", "https://example.org:8443/a?b=%20#c"])
def test_an_absolute_uri_stays_as_it_is(uri: str) -> None:
    assert _names.uri(uri) == uri


@pytest.mark.parametrize(
    "uri", ["", "example.org", "/path", "spiffe:", "1a:b", "http://exämple.org", "a:b c", "a:<b>", "a:b\n"]
)
def test_anything_else_is_no_absolute_uri(uri: str) -> None:
    with pytest.raises(Misconfigured, match="is not an absolute URI in ASCII; write scheme and all"):
        _names.uri(uri)


@pytest.mark.parametrize(
    ("written", "box"), [("Web@Example.ORG", "Web@example.org"), ("a.b+c@bücher.de", "a.b+c@xn--bcher-kva.de")]
)
def test_only_the_domain_of_a_mailbox_is_normalised(written: str, box: str) -> None:
    assert _names.email_address(written) == box


@pytest.mark.parametrize(
    "box",
    ["", "web", "@example.org", "web@", "wéb@example.org", "a..b@example.org", "a@*.example.org", "a b@c.d", "a@b_c.d"],
)
def test_anything_else_is_no_mailbox(box: str) -> None:
    with pytest.raises(Misconfigured, match="is not a mailbox"):
        _names.email_address(box)


@pytest.mark.parametrize("name", ["", "a" * 65, "a\nb", " a", "a ", "a\x00"])
def test_a_common_name_is_1_to_64_printable_characters(name: str) -> None:
    with pytest.raises(Misconfigured, match="is not a common name; write 1 to 64 printable characters"):
        _names.common_name(name)


def test_a_subject_keeps_the_declared_order_and_drops_duplicates() -> None:
    options = {
        **NOTHING,
        "common_name": "Web",
        "dns_names": ["b.org", "A.org", "B.org"],
        "ip_addresses": ["::1", "0::1"],
    }
    assert _names.subject(options) == Subject(common_name="Web", dns_names=("b.org", "a.org"), ip_addresses=("::1",))


@pytest.mark.parametrize("option", ["dns_names", "ip_addresses", "uris", "email_addresses"])
def test_a_refused_subject_names_the_option(option: str) -> None:
    with pytest.raises(Misconfigured, match=f"^{option}: 'foo_bar' is "):
        _names.subject({**NOTHING, option: ["foo_bar"]})
