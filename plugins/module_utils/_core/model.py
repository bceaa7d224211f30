# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The nouns of the house: frozen values that know no Ansible, no network and no files."""

from __future__ import annotations

import typing as t

from .key import Key

if t.TYPE_CHECKING:
    from datetime import datetime

    from .beside import Beside
    from .publication import CopyState, Publication

PROFILE_USAGES = {
    "tls_server": ("server_auth",),
    "tls_client": ("client_auth",),
    "tls_peer": ("client_auth", "server_auth"),
}
PROFILES = tuple(PROFILE_USAGES)
PARTS_OF = {
    "x509": ("certificate", "chain", "fullchain", "private_key", "combined", "key_uri", "nginx_tls"),
    "ssh_host": ("private_key", "public_key", "certificate"),
}
KINDS = tuple(PARTS_OF)
PARTS = tuple(dict.fromkeys(part for parts in PARTS_OF.values() for part in parts))
ACTIONS = (
    "stage_key", "issue", "publish", "link", "activate", "prove", "revoke", "destroy", "withdraw", "release", "adopt",
    "roll_back",
)
LINK_STATES = ("ok", "missing", "elsewhere", "same_bytes", "original", "file", "copy")
NAMES_TWICE = ("acme:",)  # begin the ids of issuers that write an alternative name as the common name as well
ADOPTED, OBSERVED = "adopted:", "observed:"  # begin the issuer id of what was not issued by us


class Subject(t.NamedTuple):
    """Whom a credential names (RFC 5280, 4.1.2.6 and 4.2.1.6), normalised: lower case, A-labels, canonical IPs."""

    common_name: str | None = None
    dns_names: tuple[str, ...] = ()
    ip_addresses: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()
    email_addresses: tuple[str, ...] = ()


class Link(t.NamedTuple):
    """A path that a consumer reads, and the part of the current generation behind it."""

    path: str
    part: str


class Files(t.NamedTuple):
    """How the parts stand in the file system; `mode` is that of the secret parts, in octal."""

    owner: str | None = None
    group: str | None = None
    mode: str = "0600"
    links: tuple[Link, ...] = ()
    replace_files: bool = False


class Activation(t.NamedTuple):
    """How a consumer is told to load a new generation: a systemd unit or a command. Equal ones run once a host."""

    unit: str | None = None
    command: tuple[str, ...] = ()
    only_if: tuple[str, ...] = ()
    timeout: float = 60.0


class Proof(t.NamedTuple):
    """How it is shown that a consumer uses the current generation: a TLS handshake or a command."""

    host: str = "localhost"
    port: int | None = None
    server_name: str | None = None
    starttls: str | None = None
    client_auth: bool = False
    command: tuple[str, ...] = ()
    timeout: float = 5.0
    when: str = "changed"


class Adopt(t.NamedTuple):
    """A pair that is on the host already. `replace` is when_due or now; `private_key` is absent where only observed."""

    certificate: str
    private_key: str | None = None
    chain: str | None = None
    replace: str = "when_due"


class Identity(t.NamedTuple):
    """What is wanted. Times are in seconds; `renew_before` is `N%` of the actual life, or seconds as digits."""

    name: str
    kind: str = "x509"
    state: str = "present"
    subject: Subject = Subject()
    profile: str = "tls_server"
    key: Key = Key()
    lifetime: int = 30 * 86400
    renew_before: str = "33%"
    files: Files = Files()
    activate: Activation | None = None
    prove: Proof | None = None
    keep_generations: int = 0
    generation: str | None = None
    issuer_id: str | None = None
    adopt: Adopt | None = None
    publish: tuple[Publication, ...] = ()


class Rotation(t.NamedTuple):
    """That keys from `before` a moment are to be replaced, and what the ledger knows of the age of those there are.

    The moment is a whole second, so that both halves compare the same.
    The key with the SHA-256 of its SPKI `public_id` has been in use `since`. The one with the id `young` waits for its
    credential, or has just got it, and was made after that moment: no other one that waits is used again.
    """

    before: datetime
    public_id: str | None = None
    since: datetime | None = None
    young: str | None = None


class Known(t.NamedTuple):
    """What only the controller knows of an identity.

    `revoked` pairs the ids of revoked credentials with the reason, so that it counts only for what is really there.
    `links` are the paths that the ledger calls live, `newest` is the highest number it ever gave out, `revoke` says why
    the credential is to be revoked in this run, `listed` that the ledger has the identity as one that is there,
    `left` what a killed run left in a custody that only the controller reaches. These three are for the controller's
    own decision. `key_gone` says that such a custody no longer has the key, or that a copy lacks the one that no host
    sends up; `elsewhere` where the key is if that is not the place that is declared.
    The issuer wants the credential with the id `scheduled` renewed from `renew_at` on. `rotation` is there where keys
    are to be replaced by their age. The issuer was asked for another one in the place of the credential with the id
    `doubted`, which is in service still. The key with the id `spent` was refused, or asked something else.
    """

    revoked: tuple[tuple[str, str], ...] = ()
    links: tuple[str, ...] = ()
    newest: int = 0
    revoke: str | None = None
    listed: bool = False
    left: str | None = None
    key_gone: str | None = None
    elsewhere: str | None = None
    scheduled: str | None = None
    renew_at: datetime | None = None
    rotation: Rotation | None = None
    doubted: str | None = None
    spent: str | None = None

    def with_young(self, public_id: str | None) -> Known:
        """Return the same, once the key with this id was staged by a run that replaces keys by their age."""
        return self._replace(rotation=self.rotation._replace(young=public_id)) if self.rotation else self

    def for_the_host(self) -> Known:
        """Return what is no reason for a host to make a store, take a lease or act: the rest is the controller's."""
        links = tuple(path for path in self.links if path.startswith("/"))  # the others are places of the controller
        return self._replace(revoke=None, listed=False, left=None, links=links)


class X509Facts(t.NamedTuple):
    """What the checks of kind x509 look at. Names are RFC 4514 strings, usages the extended key usages, sorted."""

    subject: Subject
    key_type: str
    serial_number: int
    issuer: str
    subject_name: str
    is_ca: bool
    usages: tuple[str, ...]


class Credential(t.NamedTuple):
    """A credential as it was parsed: ids are lower-case SHA-256 in hex, `kind` is one of KINDS."""

    credential_id: str
    public_id: str
    not_before: datetime
    not_after: datetime
    facts: t.Any
    kind: str = "x509"


class Part(t.NamedTuple):
    """One file of a generation."""

    content: bytes
    secret: bool = False


class Generation(t.NamedTuple):
    """One complete set of an identity's parts, as an issuer hands it over; the host adds what holds the key."""

    credential_id: str
    public_id: str | None
    not_before: datetime
    not_after: datetime
    issuer_id: str
    parts: t.Mapping[str, Part]


class Finding(t.NamedTuple):
    """Something about the files that is not as it should be: an enumerated code, and the part or path it is about."""

    code: str
    about: str
    detail: str = ""


class LinkState(t.NamedTuple):
    """A wanted link as it is: ok, missing, elsewhere (a link that may go), same_bytes or file (a regular file).

    `original` is the file that was adopted, or is to be, `copy` one that this identity wrote there.
    """

    path: str
    part: str
    state: str


class Original(t.NamedTuple):
    """The pair that `adopt` names: its certificate and the chain that came with it (DER), and what is to be said."""

    certificate: bytes
    credential: Credential
    chain: tuple[bytes, ...] = ()
    findings: tuple[Finding, ...] = ()


class Observed(t.NamedTuple):
    """What is there.

    `generation` is what `current` points to, `newest` the highest number in the store, `others` the complete ones
    beside it, `other` the credential of the one among them that is to be current. `damage` makes the generation
    unusable (re-issue), `drift` can be put right in place. `stale_links` lead into the store and are not declared (any
    more). `unfinished` says that a killed run left something behind that was never published, `pending` is the
    generation whose activation or proof was not completed. `served` is the verdict of a proof: None (not asked), "ok",
    or a sentence. `original` is there to be adopted, or only observed. `custody` is where the key of the generation
    lives, `origin` where it was made; outside files `key_uri` names it, and `key_uris` those of all generations.
    `other_uri` names the key of the generation that is to be current and is not, `other_gone` tells that a token of the
    host no longer has it. `copies` are what `publish` declares, and `stale_copies` the files that it declared once and
    does not any more; `kept_copies` are those among them that others changed since, and that may hold the private key.
    `openssl` is there where a handshake is to prove what is issued, and lacks ML-DSA. The ledger lacks those `beside`.
    """

    name: str
    generation: int | None = None
    newest: int = 0
    others: tuple[int, ...] = ()
    certificate: bytes | None = None
    credential: Credential | None = None
    other: Credential | None = None
    public_id: str | None = None
    issuer_id: str | None = None
    damage: tuple[Finding, ...] = ()
    drift: tuple[Finding, ...] = ()
    links: tuple[LinkState, ...] = ()
    stale_links: tuple[str, ...] = ()
    unfinished: bool = False
    pending: int | None = None
    served: str | None = None
    original: Original | None = None
    custody: str | None = None
    origin: str | None = None
    key_uri: str | None = None
    key_uris: tuple[str, ...] = ()
    other_uri: str | None = None
    other_gone: bool = False
    copies: tuple[CopyState, ...] = ()
    stale_copies: tuple[str, ...] = ()
    kept_copies: tuple[str, ...] = ()
    openssl: str | None = None
    beside: tuple[Beside, ...] = ()


class Step(t.NamedTuple):
    """One action (of ACTIONS), why it is needed, and the path, copy or number of the generation that it is about."""

    action: str
    reason: str
    about: str = ""


class Done(t.NamedTuple):
    """A step that was tried: how long it took, in seconds, and what went wrong."""

    action: str
    reason: str
    seconds: float = 0.0
    error: str | None = None
