# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""The list of issuers: name, and who makes one from its options."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from ...module_utils._core.model import Identity
    from ...module_utils._core.ports import Issuer

Options = t.Mapping[str, t.Any]


def _acme(options: Options) -> Issuer:
    from .acme import AcmeIssuer

    return AcmeIssuer(options)


def _local(options: Options) -> Issuer:
    from .local import LocalIssuer

    return LocalIssuer(options)


def _local_ssh(options: Options) -> Issuer:
    from .local_ssh import LocalSshIssuer

    return LocalSshIssuer(options)


def _openbao(options: Options) -> Issuer:
    from .openbao import OpenBaoIssuer

    return OpenBaoIssuer(options)


def _openbao_ssh(options: Options) -> Issuer:
    from .openbao_ssh import OpenBaoSshIssuer

    return OpenBaoSshIssuer(options)


def _est(options: Options) -> Issuer:
    from .est import EstIssuer

    return EstIssuer(options)


def _aws_pca(options: Options) -> Issuer:
    from .aws_pca import AwsPcaIssuer

    return AwsPcaIssuer(options)


def _scep(options: Options) -> Issuer:
    from .scep import ScepIssuer

    return ScepIssuer(options)


def _acme_wanted(options: Options, wanted: Identity) -> None:
    from .._acme.address import check_key, check_names

    check_names(options, wanted.subject)
    check_key(wanted.key.type)


def _scep_key(options: Options, wanted: Identity) -> None:
    from .._scep.address import check, check_key

    check(options)
    check_key(wanted.key)


ISSUERS: dict[str, t.Callable[[Options], Issuer]] = {
    "acme": _acme,
    "local": _local,
    "local_ssh": _local_ssh,
    "openbao": _openbao,
    "openbao_ssh": _openbao_ssh,
    "aws_pca": _aws_pca,
    "est": _est,
    "scep": _scep,
}
SIGN_FOR_SSH = ("local_ssh", "openbao_ssh")
"""Who signs credentials of kind ssh_host; all others sign x509."""
CHECKS: dict[str, t.Callable[[Options, Identity], None]] = {"acme": _acme_wanted, "scep": _scep_key}
"""Who can say, before anything is touched, that an identity cannot be certified so. They raise Misconfigured."""
