# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Every mistake that tests/integration/test_bad_input.py makes. `{{ base }}` is its directory."""

from __future__ import annotations

import typing as t


class Case(t.NamedTuple):
    """A mistake: what the task says, and what its message must contain."""

    says: dict[str, t.Any]
    expected: tuple[str, ...]
    module: str = "machine_identity"
    keywords: t.Mapping[str, t.Any] = {}
    host: str = "web1"


def web(*expected: str, **said: t.Any) -> Case:
    """Return a mistake in the declaration of one identity."""
    return Case({"identities": [{"name": "web", "dns_names": ["web.example.org"], **said}]}, expected)


def task(*expected: str, **said: t.Any) -> Case:
    """Return a mistake in an option of the task."""
    return Case({"identities": [{"name": "web", "dns_names": ["web.example.org"]}], **said}, expected)


def ca(*expected: str, **said: t.Any) -> Case:
    """Return a mistake in a task of certificate_authority."""
    return Case({"name": "other", "directory": "{{ base }}/ca", **said}, expected, "certificate_authority")


def info(*expected: str, **said: t.Any) -> Case:
    """Return a mistake in a task of machine_identity_info."""
    return Case(said, expected, "machine_identity_info")


def rotate(*expected: str, **said: t.Any) -> Case:
    """Return a mistake in a task of key_rotate."""
    return Case({"identities": [{"name": "web", "dns_names": ["web.example.org"]}], **said}, expected, "key_rotate")


def trust(*expected: str, **said: t.Any) -> Case:
    """Return a mistake in a task of trust_bundle."""
    good = {"name": "peers", "path": "{{ base }}/peers.pem", "anchors": ["{{ base }}/ca/root/certificate.pem"]}
    given = {**good, **said}
    return Case({name: value for name, value in given.items() if value is not None}, expected, "trust_bundle")


OF_TOKEN = {"module_path": "/etc/hostname", "token_label": "web", "pin": "{{ secret }}"}


def key(*expected: str, **said: t.Any) -> Case:
    """Return a mistake in a task of hsm_key."""
    given = {**OF_TOKEN, "label": "signing", **said}
    return Case({name: value for name, value in given.items() if value is not None}, expected, "hsm_key")


TOKEN = {"pkcs11": {**OF_TOKEN, "label": "signing"}}


def keys(*expected: str, **said: t.Any) -> Case:
    """Return a mistake in a task of key_rotate, about a key by itself."""
    return Case({"max_age": "90d", "keys": [said]}, expected, "key_rotate")


def revoked(*expected: str, **said: t.Any) -> Case:
    """Return a mistake in a task of cert_revoke, about the good identity."""
    return Case({"certificates": [{"identity": "web"}], **said}, expected, "cert_revoke")


def local_issuer(**said: t.Any) -> dict[str, t.Any]:
    """Return the good issuer with other members."""
    return {"local": {"directory": "{{ base }}/ca", "authority": "issuing", **said}}


def est(**said: t.Any) -> dict[str, t.Any]:
    """Return an EST server that lacks nothing but what is said otherwise."""
    auth = {"basic": {"username": "converger", "password": "{{ secret }}"}}
    good = {"url": "https://est.example.org", "fingerprint_sha256": "0" * 64, "auth": auth, **said}
    return {"est": {name: value for name, value in good.items() if value is not None}}


EST = {
    "nobody to believe": task("issuer.est.roots is missing", "fingerprint", issuer=est(fingerprint_sha256=None)),
    "a fingerprint of nothing": task("fingerprint_sha256: 'ab'", "64 hexadecimal", issuer=est(fingerprint_sha256="ab")),
    "a place without TLS": task("issuer.est.url", "https", issuer=est(url="http://est.example.org")),
    "a path of its own": task("issuer.est.url", "label", issuer=est(url="https://est.example.org/pki")),
    "a label with a slash": task("issuer.est.label: 'a/b'", issuer=est(label="a/b")),
    "no way to say who": task("issuer.est.auth is missing", issuer=est(auth=None)),
    "two ways to say who": task("exactly one of", issuer=est(auth={"basic": {}, "cert": {}})),
    "no password": task("auth.basic: exactly one of password", issuer=est(auth={"basic": {"username": "a"}})),
    "a pair of the host": task(
        "auth.bootstrap", "enrol: host", issuer=est(auth={"bootstrap": {"certificate": "/a", "private_key": "/b"}})
    ),
    "nobody who enrols": task("issuer.est.enrol", "controller, host", issuer=est(enrol="nobody")),
}


def scep(**said: t.Any) -> dict[str, t.Any]:
    """Return a SCEP server that lacks nothing but what is said otherwise, and no challenge."""
    known = {"fingerprint_sha256": "0" * 64, "roots": ["{{ base }}/ca/root/certificate.pem"]}
    good = {"url": "https://scep.example.org/scep", **known}
    return {"scep": {name: value for name, value in {**good, **said}.items() if value is not None}}


RSA = {"type": "rsa-2048"}
SCEP = {
    "nobody to believe": task("issuer.scep.roots is missing", issuer=scep(roots=None)),
    "an empty list of roots": web("issuer.scep.roots is empty", "name the root", issuer=scep(roots=[]), key=RSA),
    "nobody to encrypt for": task("issuer.scep.fingerprint_sha256 is missing", issuer=scep(fingerprint_sha256=None)),
    "a fingerprint of nothing": web(
        "scep.fingerprint_sha256: 'ab'", "64 hexadecimal", issuer=scep(fingerprint_sha256="ab"), key=RSA
    ),
    "no URL": web("issuer.scep.url: it does not begin with https://", issuer=scep(url="scep.example.org"), key=RSA),
    "a challenge without TLS": web(
        "issuer.scep.url: without TLS", "DES", "https",
        issuer=scep(url="http://scep.example.org/scep", challenge="{{ secret }}"), key=RSA,
    ),
    "two challenges": web(
        "issuer.scep: one of challenge, challenge_file is enough",
        issuer=scep(challenge="{{ secret }}", challenge_file="/etc/challenge"), key=RSA,
    ),
    "a challenge without leave": web(
        "rule scep-challenge", "issuer scep with challenge true", issuer=scep(challenge="{{ secret }}"), key=RSA
    ),
    "a key that is not RSA": web("identities[web].key.type", "signs no ecdsa-p256 keys; write", issuer=scep()),
    "a key in a token": web(
        "identities[web].key.custody", "not in pkcs11", "file", issuer=scep(),
        key={**RSA, "custody": {"pkcs11": {"module_path": "/x.so", "token_label": "x"}}},
    ),
    "a key of the controller": web(
        "identities[web].key.origin", "leave origin out", issuer=scep(), key={**RSA, "origin": "controller"}
    ),
}
PLANNED = {
    "ca_bundle": task("issuer.local_ssh.ca_bundle", "not built", issuer={"local_ssh": {"ca_bundle": "x"}}),
    "issuers": task("issuers[0].local.ca_bundle", "not built", issuers=[{"local": {"ca_bundle": "x"}}]),
    "issuer of an identity": web(
        "identities[web].issuer.local.ca_bundle", "not built", issuer={"local": {"ca_bundle": "x"}}
    ),
    "check_status": task("check_status", "always", "ledger, live", check_status="always"),
    "key reuse": web("key.reuse true", "not built", key={"reuse": True}),
}


def host_key(*expected: str, **said: t.Any) -> Case:
    """Return a mistake in the declaration of a host certificate of SSH."""
    one = {"name": "web", "kind": "ssh_host", "principals": ["web1.example.org"], **said}
    issuer = {"local_ssh": {"directory": "{{ base }}/ca", "authority": "issuing"}}
    return Case({"issuer": issuer, "identities": [one]}, expected)


_UNSAFE = {"url": "http://bao.example.org", "role": "host", "auth": {"token": {"token": "x"}}}
OF_SSH = {
    "a server of SSH that is not safe": Case(
        {
            "issuer": {"openbao_ssh": _UNSAFE},
            "identities": [{"name": "web", "kind": "ssh_host", "principals": ["web1.example.org"]}],
        },
        ("openbao_ssh: issuer.openbao_ssh.url", "not safe"),
    ),
    "a key that others may read": host_key("mode: sshd ignores", "0640", "write 0600", mode="0640"),
    "names that are too long together": host_key(
        "principals: together", "8192 bytes", principals=[f"{number}.{'a' * 60}.example.org" for number in range(120)]
    ),
    "names of the other kind": host_key("identities[web].dns_names", "principals", dns_names=["web1.example.org"]),
    "principals of x509": web("identities[web].principals", "kind ssh_host", "dns_names", principals=["web1"]),
    "no principals": host_key("identities[web].principals", "every host", principals=[]),
    "a pattern": host_key("principals", "'*.example.org'", "each name", principals=["*.example.org"]),
    "no name": host_key("principals", "'web_1'", "underscore", principals=["web_1"]),
    "a zone": host_key("principals", "'fe80::1%eth0'", "without %", principals=["fe80::1%eth0"]),
    "a disguise": host_key("principals", "'::ffff:1.2.3.4'", "write 1.2.3.4", principals=["::ffff:1.2.3.4"]),
    "a network": host_key("principals", "'192.0.2.0/24'", "one address", principals=["192.0.2.0/24"]),
    "brackets": host_key("principals", "'[2001:db8::1]'", "alone", principals=["[2001:db8::1]"]),
    "a port": host_key("principals", "'web1:22'", "alone", principals=["web1:22"]),
    "a number": host_key("principals", "'5'", "IPv4 or IPv6 address", principals=["5"]),
    "a URL": host_key("principals", "'ssh://web1'", "host alone", principals=["ssh://web1"]),
    "too many": host_key("principals", "257", "256", principals=[f"web{number}" for number in range(257)]),
    "another issuer": host_key(
        "local signs nothing of kind ssh_host", "local_ssh",
        issuer={"local": {"directory": "{{ base }}/ca", "authority": "issuing"}},
    ),
    "an issuer for the other kind": task(
        "local_ssh signs nothing of kind x509", issuer={"local_ssh": {"directory": "/x", "authority": "issuing"}}
    ),
    "a profile": host_key("identities[web].profile", "kind x509", profile="tls_client"),
    "a key that ssh does not know": host_key("identities[web].key.type", "ml-dsa-65", key={"type": "ml-dsa-65"}),
    "a custody": host_key(
        "identities[web].key.custody", "sshd", key={"custody": {"aws_kms": {"alias": "alias/x", "region": "eu-west-1"}}}
    ),
    "a part of the other kind": host_key("links[/x]", "'fullchain'", "public_key", links={"/x": "fullchain"}),
    "starttls": host_key("prove.starttls", "TLS", prove={"port": 22, "starttls": "smtp"}),
    "a copy": host_key("identities[web].publish", publish=[{"pem_bundle": {"path": "/srv/x.pem"}}]),
    "adopt": host_key("identities[web].adopt", adopt={"certificate": "/x", "private_key": "/y"}),
    "to be observed": host_key("identities[web].adopt", state="observed", adopt={"certificate": "/x"}),
    "no authority": host_key(
        "authority nobody does not exist", issuer={"local_ssh": {"directory": "{{ base }}/ca", "authority": "nobody"}}
    ),
    "no role": host_key(
        "role is empty", issuer={"openbao_ssh": {"url": "https://x", "role": "", "auth": {"token": {"token": "x"}}}}
    ),
}
NO_POLICY = ("option policy", "/no/policy.yml", "No such file", "the shipped one")
OPTIONS = {
    "policy": task(*NO_POLICY, policy="/no/policy.yml"),
    "policy of certificate_authority": ca(*NO_POLICY, policy="/no/policy.yml"),
    "policy of machine_identity_info": info(*NO_POLICY, policy="/no/policy.yml"),
    "policy as a group default": Case(
        {"identities": [{"name": "web", "dns_names": ["web.example.org"]}]},
        NO_POLICY,
        keywords={"module_defaults": {"group/keystead.identity.identity": {"policy": "/no/policy.yml"}}},
    ),
    "a token without a name": web(
        "key.custody.pkcs11.token_label", "exactly one of token_label and token_serial", "found none",
        key={"custody": {"pkcs11": {"module_path": "/x.so"}}},
    ),
    "two PINs": web(
        "key.custody.pkcs11.pin", "one of pin, pin_env, pin_file", "pin and pin_file",
        key={"custody": {"pkcs11": {"module_path": "/x.so", "token_label": "x", "pin": "canary", "pin_file": "/x"}}},
    ),
    "a key type that no token has": web(
        "key.type", "ml-dsa-65", "ecdsa-p256",
        key={"type": "ml-dsa-65", "custody": {"pkcs11": {"module_path": "/x.so", "token_label": "x"}}},
    ),
    "a part that a token has not": web(
        "links[/x.pem]", "custody pkcs11 has no private_key", "key_uri", links={"/x.pem": "private_key"},
        key={"custody": {"pkcs11": {"module_path": "/x.so", "token_label": "x"}}},
    ),
    "two custodies": web(
        "identities[web].key.custody", "exactly one of", "found file and pkcs11",
        key={"custody": {"file": {}, "pkcs11": {"module_path": "/x.so", "token_label": "x"}}},
    ),
    "transit without a server": web(
        "key.custody.openbao_transit.url is missing", key={"custody": {"openbao_transit": {"name": "x"}}}
    ),
    "an alias that is none": web(
        "aws_kms: option alias", "'x'", "alias/", key={"custody": {"aws_kms": {"alias": "x"}}}
    ),
    "PKCS#12 without a password": web(
        "identities[web].publish[0].pkcs12", "exactly one of password and password_file", "found none",
        publish=[{"pkcs12": {"path": "/x.p12"}}],
    ),
    "a custody of an authority": ca(
        "key.custody.pkcs11.x is unknown", "token_label", key={"custody": {"pkcs11": {"x": 1}}}
    ),
    "a key of the controller without leave": web(
        "key.origin controller", "use host, or let a policy permit it", key={"origin": "controller"}
    ),
    "unknown key type": web("identities[web].key.type", "'rsa-1024'", "ecdsa-p256", key={"type": "rsa-1024"}),
    "unknown profile": web("identities[web].profile", "'vpn'", "tls_server", profile="vpn"),
    "unknown option": web("identities[web].dns_name ", "did you mean dns_names?", dns_name="x"),
    "unknown option of the task": task("option identites ", "did you mean identities?", identites=[]),
    "no identities": Case({}, ("option identities is missing",)),
    "identities is a mapping": Case({"identities": {"name": "web"}}, ("option identities", "list")),
    "identities holds strings": Case({"identities": ["web"]}, ("identities[0]", "a string", "{name: value}")),
    "adopt without a certificate": web("adopt.certificate is missing", adopt={"private_key": "/etc/x.key"}),
    "adopt without a key": web("adopt.private_key", "write its path", adopt={"certificate": "/etc/x.pem"}),
    "adopt by a relative path": web(
        "adopt.private_key", "'x.key'", "'/x.key'", adopt={"certificate": "/etc/x.pem", "private_key": "x.key"}
    ),
    "adopt PEM": web(
        "adopt.private_key", "path of a file", adopt={"certificate": "/x", "private_key": "-----BEGIN PRIVATE KEY-----"}
    ),
    "scan of a relative path": info("option scan", "'etc'", "'/etc'", scan=["etc"]),
    "no name": Case({"identities": [{"dns_names": ["a.example.org"]}]}, ("identities[0].name is missing",)),
    "lifetime without a unit": web("identities[web].lifetime", "'30'", "30d", lifetime="30"),
    "lifetime as a number": web("identities[web].lifetime", "'30'", "30d", lifetime=30),
    "lifetime of no time": web("identities[web].lifetime", "'0s'", "60s to 36500d", lifetime="0s"),
    "lifetime of ages": web("identities[web].lifetime", "'99999d'", "60s to 36500d", lifetime="99999d"),
    "negative lifetime": web("identities[web].lifetime", "'-1d'", "30d", lifetime="-1d"),
    "renew_before longer than the life": web("identities[web].renew_before", "'31d'", "30d", renew_before="31d"),
    "renew_before of all": web("identities[web].renew_before", "'100%'", "33%", renew_before="100%"),
    "renew_before of nothing": web("identities[web].renew_before", "'0%'", renew_before="0%"),
    "mode as a number": web("identities[web].mode", "416", "quote it", mode=0o640),
    "mode for everybody": web("identities[web].mode", "0644", "0640", mode="0644"),
    "mode in letters": web("identities[web].mode", "u=rw", "0600", mode="u=rw"),
    "no name to prove": Case({"identities": [{"name": "web"}]}, ("identities[web].dns_names", "needs a name")),
    "common name alone": Case(
        {"identities": [{"name": "web", "common_name": "web"}]}, ("identities[web].dns_names", "needs a name")
    ),
    "DNS name with a space": web("identities[web].dns_names", "'a b.example.org'", dns_names=["a b.example.org"]),
    "DNS name with underscore": web("dns_names", "'a_b.example.org'", "hyphen", dns_names=["a_b.example.org"]),
    "DNS name with a wildcard inside": web("dns_names", "'w*.example.org'", "label", dns_names=["w*.example.org"]),
    "DNS name that is an address": web("dns_names", "'192.0.2.1'", "ip_addresses", dns_names=["192.0.2.1"]),
    "DNS name that is a URL": web("dns_names", "'https://example.org'", "its host", dns_names=["https://example.org"]),
    "DNS name that is too long": web("dns_names", "too long", dns_names=["a" * 64 + ".example.org"]),
    "DNS name with an empty label": web("dns_names", "'a..example.org'", "empty", dns_names=["a..example.org"]),
    "DNS name that is no IDNA": web("dns_names", "IDNA", dns_names=["\u2603\u200b.example.org"]),
    "DNS names as a mapping": web("dns_names", "list", dns_names={"a": "b"}),
    "IP address": web("ip_addresses", "'192.0.2.256'", "192.0.2.1", ip_addresses=["192.0.2.256"]),
    "network": web("ip_addresses", "'192.0.2.0/24'", "prefix", ip_addresses=["192.0.2.0/24"]),
    "URI": web("uris", "'no scheme'", "spiffe://", uris=["no scheme"]),
    "e-mail address": web("email_addresses", "'web'", "web@example.org", email_addresses=["web"]),
    "common name that is too long": web("common_name", "1 to 64", common_name="x" * 65),
    "common name with an escape": web("common_name", "printable", common_name="a\u001b[2Jb"),
    "identity with a slash": web("identities[../../etc].name", "'../../etc'", "a-z", name="../../etc"),
    "identity in capitals": web("identities[Web].name", "'Web'", "a-z", name="Web"),
    "identity called current": web("identities[current].name", "current", name="current"),
    "identity twice": Case(
        {"identities": [{"name": "web", "dns_names": ["a.example.org"]}] * 2}, ("identities[web].name", "twice")
    ),
    "link twice": Case(
        {
            "identities": [
                {"name": name, "dns_names": ["a.example.org"], "links": "{{ {base ~ '/etc/x.pem': 'fullchain'} }}"}
                for name in ("web", "api")
            ]
        },
        ("identities[api].links", "x.pem", "web", "another one"),
    ),
    "relative link": web("links", "'etc/x.pem'", "/etc/x.pem", links={"etc/x.pem": "fullchain"}),
    "link with a template": web("links", "fills in no keys", links={"{{ base }}/etc/x.pem": "fullchain"}),
    "link with dots": web("links", "'/etc/../x.pem'", "'/x.pem'", links={"/etc/../x.pem": "fullchain"}),
    "link into the store": web("links", "store", "elsewhere", links="{{ {base ~ '/store/x.pem': 'fullchain'} }}"),
    "part that is none": web("links", "'cert'", "certificate", links={"/etc/x.pem": "cert"}),
    "part that the custody lacks": web("links", "key_uri", "private_key", links={"/etc/x.pem": "key_uri"}),
    "links as a list": web("identities[web].links", "list", "dictionary", links=["/etc/x.pem"]),
    "nothing to activate": web("activate", "exactly one of", "found none", activate={}),
    "two ways to activate": web("activate", "unit and command", activate={"unit": "x.service", "command": ["true"]}),
    "command as a string with quotes": web("activate.command", activate={"command": [""]}),
    "unit that is none": web("activate.unit", "'a b'", "nginx.service", activate={"unit": "a b"}),
    "port 0": web("prove.port", "0 ", "1 to 65535", prove={"port": 0}),
    "port in words": web("prove.port", "'https'", "whole number", prove={"port": "https"}),
    "starttls of a kind": web("prove.starttls", "'pop3'", "smtp", prove={"port": 25, "starttls": "pop3"}),
    "a server that shows a client": web("prove.client_auth", "tls_peer", prove={"port": 443, "client_auth": True}),
    "proof without end": web("prove.timeout", "'2h'", "1s to 1h", prove={"port": 443, "timeout": "2h"}),
    "previous without keeping": web("generation", "keep_generations: 1", generation="previous"),
    "negative keep_generations": web("keep_generations", "-1", "0 to 100", keep_generations=-1),
    "labels of lists": web("labels", "'a'", "name: value", labels={"a": ["b"]}),
    "contact on two lines": web("contact", "printable", contact="a\nb"),
    "relative store": task("option store", "'store'", "/store", store="store"),
    "root as the store": task("option store", "'/'", "directory of its own", store="/"),
    "wait in words": task("option wait", "'a while'", "30d", wait="a while"),
    "purge without scope": task("option purge", "scope", purge=True),
    "purge of all": Case({"identities": [], "purge": True, "scope": "web"}, ("option purge", "no identities")),
    "no issuer": task("identities[web].issuer", "nobody is named", "local", issuer=None),
    "empty issuer": task("option issuer", "exactly one of", "found none", issuer={}),
    "two issuers": task(
        "option issuer", "exactly one of", "acme and local", issuer={**local_issuer(), "acme": {"url": "x"}}
    ),
    "unknown issuer": task("option issuer", "vault", issuer={"vault": {}}),
    "authority without directory": task("issuer.local.directory is missing", issuer={"local": {"authority": "x"}}),
    "no fingerprint": task("issuer.local.accept_new_root", "'ab'", "64", issuer=local_issuer(accept_new_root="ab")),
    "no time for the issuer": task("issuer.local.timeout", "'0s'", "30s", issuer=local_issuer(timeout="0s")),
    "check_status of info": info("check_status", "always", "ledger, live", check_status="always"),
    "an issuer of info with what is not built": info(
        "issuers[0].local.ca_bundle", "not built", issuers=[{"local": {"ca_bundle": "x"}}]
    ),
    "info of a bad name": info("option names", "'../x'", names=["../x"]),
    "info of a relative path": info("option paths", "'x.pem'", "/x.pem", paths=["x.pem"]),
    "async": Case({"identities": []}, ("option async", "10", "throttle"), keywords={"async": 10, "poll": 2}),
    "async of certificate_authority": Case(
        {"name": "other", "directory": "{{ base }}/ca"},
        ("option async", "10", "throttle"),
        "certificate_authority",
        keywords={"async": 10, "poll": 2},
    ),
}
AUTHORITIES = {
    "missing authority": task(
        "local: authority nobody", "certificate_authority", issuer=local_issuer(authority="nobody")
    ),
    "missing directory": task("/nowhere", "certificate_authority", issuer=local_issuer(directory="{{ base }}/nowhere")),
    "authority with a slash": task("'../ca'", "letters", issuer=local_issuer(authority="../ca")),
    "no passphrase": task("sealed", "set passphrase", issuer=local_issuer(authority="sealed")),
    "needless passphrase": task(
        "issuing", "has no passphrase", "remove", issuer=local_issuer(passphrase="{{ secret }}")
    ),
    "two passphrases": task(
        "both passphrase and passphrase_file",
        "keep one",
        issuer=local_issuer(authority="sealed", passphrase="{{ secret }}", passphrase_file="{{ base }}/passphrase"),
    ),
    "missing passphrase file": task(
        "{{ base }}/none", "passphrase_file", issuer=local_issuer(authority="sealed", passphrase_file="{{ base }}/none")
    ),
    "empty passphrase file": task(
        "{{ base }}/empty", "empty", issuer=local_issuer(authority="sealed", passphrase_file="{{ base }}/empty")
    ),
    "a file in the place of the authority": task("{{ base }}/ca/file", issuer=local_issuer(authority="file")),
    "an authority of somebody else": task("{{ base }}/ca/empty", issuer=local_issuer(authority="empty")),
    "missing roots": task(
        "issuer.local.roots", "/nowhere.pem", "No such file", "PEM", issuer=local_issuer(roots=["/nowhere.pem"])
    ),
    "roots that are none": task(
        "issuer.local.roots", "the PEM given", issuer=local_issuer(roots=["-----BEGIN CERTIFICATE-----\nx"])
    ),
    "declared otherwise": ca(
        "path_length", "0", "3", "under a new name", name="issuing", path_length=3, parent={"name": "root"}
    ),
    "missing parent": ca("authority nobody", "certificate_authority", parent={"name": "nobody"}),
    "lifetime of an authority": ca("option lifetime", "'ever'", "30d", lifetime="ever"),
    "path length below 0": ca("option path_length", "-1", "0 or more", path_length=-1),
    "path length of a child": ca("path_length", "1", "0", path_length=1, parent={"name": "issuing"}),
    "country": ca("subject.country", "'Germany'", "DE", subject={"country": "Germany"}),
    "name constraint": ca("name_constraints.permitted.dns", "'*.x'", name_constraints={"permitted": {"dns": ["*.x"]}}),
    "network constraint": ca("permitted.ip", "'x'", "192.0.2.0/24", name_constraints={"permitted": {"ip": ["x"]}}),
    "directory of everybody": ca("{{ base }}/open", "others may write", directory="{{ base }}/open"),
    "authority in use": ca("cannot be destroyed", "revoke", name="issuing", state="absent"),
}
LEDGERS = {
    "no URL": task("option ledger", "not a URL", "sqlite:////absolute/path", ledger="/var/ledger"),
    "relative path": task("option ledger", "sqlite:////absolute/path", ledger="sqlite:ledger.db"),
    "PostgreSQL that is not there": task(
        "ledger: PostgreSQL database keystead on 127.0.0.1:1",
        "cannot be reached",
        "nothing was touched",
        ledger="postgresql://127.0.0.1:1/keystead",
    ),
    "parameter of PostgreSQL": task(
        "option ledger", "passfile", "sslmode", ledger="postgresql://ledger.example.org/keystead?passfile=/x"
    ),
    "no name of a database": task("option ledger", "names no database", ledger="postgresql://ledger.example.org"),
    "driver in the URL": task(
        "postgresql+psycopg", "postgresql://host/database", ledger="postgresql+psycopg://ledger.example.org/keystead"
    ),
    "password of an SQLite file": task("ledger_password", "leave it out", ledger_password="{{ secret }}"),
    "two passwords": task(
        "both ledger_password and ledger_password_file",
        "keep one",
        ledger_password="{{ secret }}",
        ledger_password_file="{{ base }}/passphrase",
    ),
    "missing password file": task(
        "ledger_password_file: {{ base }}/none",
        "cannot be read",
        ledger="postgresql://127.0.0.1:1/keystead",
        ledger_password_file="{{ base }}/none",
    ),
    "empty password file": task(
        "ledger_password_file",
        "empty",
        ledger="postgresql://127.0.0.1:1/keystead",
        ledger_password_file="{{ base }}/empty",
    ),
    "password in the URL": task(
        "option ledger",
        "password inside",
        "ledger_password",
        ledger="postgresql://me:{{ secret }}@ledger.example.org/x",
    ),
    "unknown scheme": task("option ledger", "mysql", "sqlite:////absolute/path", ledger="mysql://x/y"),
    "missing directory": task(
        "ledger:", "create the directory {{ base }}/nowhere", ledger="sqlite:///{{ base }}/nowhere/ledger.db"
    ),
    "a directory": task("ledger:", "is a directory", ledger="sqlite:///{{ base }}/ca"),
    "corrupt": task("ledger:", "corrupt.db", "ledger", ledger="sqlite:///{{ base }}/corrupt.db"),
    "damaged": task("ledger:", "damaged.db", "backup", ledger="sqlite:///{{ base }}/damaged.db"),
    "of somebody else": task("ledger:", "another application", ledger="sqlite:///{{ base }}/foreign.db"),
    "of a newer schema": task("schema 99", "upgrade", ledger="sqlite:///{{ base }}/newer.db"),
    "a device": task("ledger:", ledger="sqlite:////dev/null"),
}
HOST = {
    "file in the place of a link": web(
        "{{ base }}/etc/file", "regular file", "replace_files", links="{{ {base ~ '/etc/file': 'fullchain'} }}"
    ),
    "directory in the place of a link": web(
        "{{ base }}/etc/directory", "neither", links="{{ {base ~ '/etc/directory': 'fullchain'} }}"
    ),
    "missing parent of a link": web("{{ base }}/none", "create", links="{{ {base ~ '/none/x': 'fullchain'} }}"),
    "parent that is a link": web(
        "{{ base }}/linked", "symbolic link", "real path", links="{{ {base ~ '/linked/x': 'chain'} }}"
    ),
    "parent that is a file": web("{{ base }}/etc/file", links="{{ {base ~ '/etc/file/x': 'chain'} }}"),
    "parent that others may write": web("{{ base }}/open", "chmod", links="{{ {base ~ '/open/x': 'chain'} }}"),
    "store of another host": task("other1", "web1", "set another store", store="{{ base }}/of-another-host"),
    "store of another ledger": task("belongs to", "ledger", "another store", store="{{ base }}/of-another-ledger"),
    "store of the future": task("format 9", "upgrade", store="{{ base }}/of-the-future"),
    "store with a broken claim": task(".keystead.json", "restore", store="{{ base }}/broken"),
    "store that is a file": task("{{ base }}/etc/file", store="{{ base }}/etc/file"),
    "store behind a link": task("{{ base }}/linked", "real path", store="{{ base }}/linked/store"),
    "store that others may write": task("{{ base }}/open", "chmod", store="{{ base }}/open"),
    "unknown user": web("option owner", "'nobody-here'", "create it first", owner="nobody-here"),
    "unknown group": web("option group", "'nobody-here'", "create it first", group="nobody-here"),
}
SIGNING = {
    "wrong passphrase": task(
        "does not open", "set its own", issuer=local_issuer(authority="sealed", passphrase="wrong-{{ secret }}")
    ),
    "expired authority": task("expired", "cannot sign any more", "another", issuer=local_issuer(authority="expired")),
    "names that the authority excludes": web(
        "local: ", "web.example.net", "another authority", dns_names=["web.example.net"]
    ),
}
HOSTS = {
    "winrm": Case({"identities": []}, ("winrm",), host="windows1"),
    "network_cli": Case({"identities": []}, ("network_cli",), host="switch1"),
    "no cryptography": Case(
        {"identities": []}, ("host: ", "has no cryptography", "python3-cryptography"), host="bare1"
    ),
    "old cryptography": Case({"identities": []}, ("cryptography 3.1", "at least 3.4"), host="old1"),
}
TOKENS = {
    "no key is named": key("option label", "set label, id or uri", label=None),
    "two PINs": key("one of pin, pin_env, pin_file is enough, found pin and pin_file", pin_file="/etc/pin"),
    "two names of a token": key("exactly one of token_label and token_serial", token_serial="0815"),
    "a relative module": key("option module_path", "'softhsm2.so'", "'/softhsm2.so'", module_path="softhsm2.so"),
    "an id that is none": key("option id", "'signing'", "0a1b2c", id="signing"),
    "a usage of another type": key("ed25519 does not derive; use sign", type="ed25519", usage=["derive"]),
    "a usage that is none": key("option usage[0]", "'verify'", "sign, encrypt", usage=["verify"]),
    "a type that no token makes": key("option type", "'ml-dsa-65'", "ecdsa-p256", type="ml-dsa-65"),
    "a URI of a certificate": key("option uri", "something of type cert", label=None, uri="pkcs11:id=%01;type=cert"),
    "extractable without leave": key("rule extractable-keys", "extractable true", extractable=True),
    "policy of hsm_key": key(*NO_POLICY, policy="/no/policy.yml"),
    "no such module": key("module_path /nowhere/x.so is not", "install the package", module_path="/nowhere/x.so"),
    "what is no module": key("/etc/passwd cannot be loaded as a PKCS#11 module", "see that", module_path="/etc/passwd"),
    "no python-pkcs11": Case(
        {**OF_TOKEN, "label": "signing"}, ("python-pkcs11 is missing in ", " -m pip install python-pkcs11"),
        "hsm_key", host="tokenless1",
    ),
}
REVOKED = {
    "in use": revoked("nothing is revoked", "web/current on web1", "replaced_first: false"),
    "an empty entry": revoked("certificates[0]: it is empty", "serial_number", certificates=[{}]),
    "a date alone": revoked(
        "issued_before: it stands alone", "identity", certificates=[{"issued_before": "2026-03-01T10:40:00Z"}]
    ),
    "a number without quotes": revoked("4512 was read by YAML", "quote it", certificates=[{"serial_number": 4512}]),
    "a number of nobody": revoked("knows no such certificate", "pem", certificates=[{"serial_number": "4a:0b"}]),
    "a number of an unknown issuer": revoked(
        "knows no such certificate", "issuers", certificates=[{"serial_number": "4a:0b", "issuer": "local:x:0d"}]
    ),
    "a sweep of both kinds": revoked("no certificate is both", certificates=[{"orphaned": True, "superseded": True}]),
    "a sweep that is none": revoked("it is empty", certificates=[{"orphaned": False}]),
    "misspelt": revoked("serial is unknown", "serial_number", certificates=[{"serial": "4a"}]),
    "no file": revoked("path: /no/a.pem cannot be read", certificates=[{"path": "/no/a.pem"}]),
    "no certificate in it": revoked("it holds no certificate", certificates=[{"path": "{{ base }}/passphrase"}]),
    "a secret for a certificate": revoked("pem: it holds no certificate", certificates=[{"pem": "{{ secret }}"}]),
    "another number": revoked("2 certificates were expected, and the entries select 1", expect=2),
    "a hold": revoked("reason certificate_hold", "not built", "another reason", reason="certificate_hold"),
    "no reason": revoked("reason: 'because'", "key_compromise", reason="because"),
    "no justification": revoked("justification is missing", "why it cannot wait", emergency=True),
    "an emergency without leave": revoked(
        "rule emergency-revocation, web: emergency true", "replaced before", emergency=True, justification="now"
    ),
    "nobody who signed it": revoked("issuers: none of them is local:issuing:", "add it there", issuer=None),
    "another who did not sign it": revoked(
        "issuers: none of them is local:issuing:", issuer={"local": {"directory": "{{ base }}/ca", "authority": "root"}}
    ),
    "one that cannot revoke": revoked("none of them is local:issuing:", issuer=est()),
    "no plan": revoked("option plan: /no/plan.json does not exist", "run with --check first", plan="/no/plan.json"),
    "approvals": revoked("option approvals", "not built", approvals=["/srv/a"]),
    "an issuer with what is not built": revoked(
        "issuer.local.ca_bundle", "not built", issuer={"local": {"ca_bundle": "x"}}
    ),
    "no ledger": revoked("ledger: ", "corrupt.db", ledger="sqlite:///{{ base }}/corrupt.db"),
    "policy": revoked(*NO_POLICY, policy="/no/policy.yml"),
}
TRUST = {
    "no anchor": trust("option anchors: none is named", "state: absent", anchors=[]),
    "an anchor that is nowhere": trust("/no/a.pem: No such file", "on the controller", anchors=["/no/a.pem"]),
    "a secret for an anchor": trust("anchors: entry 1", "no certificate", anchors=["-----BEGIN {{ secret }}"]),
    "no certificate": trust("passphrase: it holds no certificate", anchors=["{{ base }}/passphrase"]),
    "a key": trust("it holds a private key", "alone", anchors=["{{ base }}/ca/root/private_key.pem"]),
    "a leaf": trust("is no authority", "who signed it", anchors=["{{ base }}/store/web/current/certificate.pem"]),
    "a name that is none": trust("option name: 'Peers!'", "a-z", name="Peers!"),
    "two places": trust("the system's store has its own place", "write path, or", system=True),
    "a relative path": trust("option path: 'peers.pem'", "'/peers.pem'", path="peers.pem"),
    "a directory that is nowhere": trust("/no does not exist", "create this", path="{{ base }}/no/peers.pem"),
    "a path of a directory": trust("{{ base }}/store is a link or no regular file", "another", path="{{ base }}/store"),
    "a file of somebody else": trust("passphrase was made by somebody else", "move it", path="{{ base }}/passphrase"),
    "no ledger": trust("ledger: ", "corrupt.db", ledger="sqlite:///{{ base }}/corrupt.db"),
    "policy": trust(*NO_POLICY, policy="/no/policy.yml"),
    "a peer in two ways": web("trusts[0]", "exactly one", trusts=[{"issuer": "x", "service": "shop"}]),
    "a peer without a name": web("trusts.service: ''", "write a line", trusts=[{"service": ""}]),
}
ROTATIONS = {
    "no age": rotate("neither max_age nor created_before", "write max_age: 90d"),
    "an age that is none": rotate("option max_age: 'old' is not a duration", "for example 30d", max_age="old"),
    "no time at all": rotate("option max_age: 0d would replace every key in every run", "write 90d", max_age="0d"),
    "a moment without an offset": rotate(
        "option created_before: '2026-01-31 10:40'", "offset from UTC; write for example",
        created_before="2026-01-31 10:40",
    ),
    "a moment to come": rotate(
        "option created_before: 2126-01-31T10:40:00Z is to come", "that has passed",
        created_before="2126-01-31T10:40:00Z",
    ),
    "what goes away": rotate(
        "identities[web].state: absent gets no new key", "declare it with machine_identity", max_age="90d",
        identities=[{"name": "web", "state": "absent"}],
    ),
    "what goes back": rotate(
        "identities[web].generation: previous has an older key", "leave it out", max_age="90d",
        identities=[{"name": "web", "dns_names": ["web.example.org"], "keep_generations": 1, "generation": "previous"}],
    ),
    "keys beside identities": rotate("option keys", "write a task for each", max_age="90d", keys=[{"custody": TOKEN}]),
    "nothing to rotate": rotate("identities is missing", "or keys", max_age="90d", identities=None),
    "a key that is nowhere": keys("option keys[0].custody is missing", "name where the key is"),
    "a key in two places": keys("found aws_kms and pkcs11", custody={**TOKEN, "aws_kms": {"alias": "alias/x"}}),
    "a key without a label": keys("label is missing", custody={"pkcs11": OF_TOKEN}),
    "an overlap that is none": keys("keys[signing].overlap: 'soon' is not a duration", custody=TOKEN, overlap="soon"),
    "an overlap longer than half an age": keys("60d is more than half of max_age, 90d", custody=TOKEN, overlap="60d"),
    "an overlap in a transit engine": keys(
        "option keys[release].overlap: openbao_transit uses a new version as soon as there is one",
        custody={"openbao_transit": {"url": "https://127.0.0.1:1", "name": "release", "auth": {"token": {}}}},
        overlap="1d",
    ),
    "a token with two names": keys(
        "option keys[signing].custody.pkcs11.token_label: exactly one of",
        custody={"pkcs11": {**TOKEN["pkcs11"], "token_serial": "1"}},
    ),
    "an alias that is none": keys(
        "keys[web].custody.aws_kms.alias: 'web' is no name of an alias", custody={"aws_kms": {"alias": "web"}}
    ),
    "a key without a name": keys(
        "keys[0].custody.pkcs11.label: it is empty", custody={"pkcs11": {**OF_TOKEN, "label": ""}}
    ),
    "a window without a unit": keys(
        "keys[alias/web].custody.aws_kms.pending_window: '7' is not a duration",
        custody={"aws_kms": {"alias": "alias/web", "pending_window": "7"}},
    ),
    "to purge": rotate("purge", max_age="90d", purge=True),
}  # fmt: skip
GROUPS = {
    "planned": PLANNED, "ssh": OF_SSH, "est": EST, "scep": SCEP, "option": OPTIONS, "authority": AUTHORITIES,
    "ledger": LEDGERS, "host": HOST, "signing": SIGNING, "hosts": HOSTS, "token": TOKENS, "rotation": ROTATIONS,
    "revoked": REVOKED, "trust": TRUST,
}  # fmt: skip
MISTAKES = {f"{group}: {name}": case for group, cases in GROUPS.items() for name, case in cases.items()}
