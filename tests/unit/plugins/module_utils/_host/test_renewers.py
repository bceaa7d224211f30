# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Who else renews a pair is found by the files that each renewer keeps."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.keystead.identity.plugins.module_utils._core.model import Adopt, Finding
from ansible_collections.keystead.identity.plugins.module_utils._host.renewers import LARGEST_FILE, owners
from ansible_collections.keystead.identity.tests.harness.brownfield import pair

if t.TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_certbot_is_found_beside_its_live_directory_and_only_for_what_it_names(tmp_path: Path) -> None:
    live = pair().as_certbot(tmp_path)
    pair().as_certbot(tmp_path, "other")
    conf = tmp_path / "renewal" / "web.conf"
    adopt = Adopt(str(live / "cert.pem"), str(live / "privkey.pem"))
    assert owners(adopt, []) == [Finding("certbot", str(conf), "web")]
    text = conf.read_text(encoding="utf-8")
    conf.write_text(text + "autorenew = False\n", encoding="utf-8")
    assert owners(adopt, []) == []
    conf.write_text(text, encoding="utf-8")
    conf.rename(tmp_path / "renewal" / "web.conf.disabled")  # as our warning says
    assert owners(adopt, []) == []


def test_certmonger_is_found_by_its_request(tmp_path: Path) -> None:
    request = "id=20260101120000\nkey_storage_type=FILE\nkey_storage_location=/etc/pki/web.key\nca_name=IPA\n"
    (tmp_path / "20260101120000-1").write_text(request, encoding="utf-8")
    found = owners(Adopt("/etc/pki/web.crt", "/etc/pki/web.key"), [], certmonger=str(tmp_path))
    assert found == [Finding("certmonger", str(tmp_path / "20260101120000-1"), "20260101120000")]
    assert owners(Adopt("/etc/pki/other.crt"), [], certmonger=str(tmp_path)) == []


def test_acme_sh_is_found_for_what_it_installed_and_for_its_own_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    directory = tmp_path / ".acme.sh" / "web.example.org_ecc"
    directory.mkdir(parents=True)
    conf = directory / "web.example.org.conf"
    conf.write_text("Le_Domain='web.example.org'\nLe_RealKeyPath='/etc/web.key'\n", encoding="utf-8")
    expected = [Finding("acme_sh", str(conf), "web.example.org")]
    assert owners(Adopt("/etc/web.crt", "/etc/web.key"), []) == expected
    assert owners(Adopt(str(directory / "web.cer"), str(directory / "web.key")), []) == expected
    assert owners(Adopt("/etc/shop.crt", "/etc/shop.key"), []) == []


def test_what_cannot_be_read_is_no_configuration(tmp_path: Path) -> None:
    live = pair().as_certbot(tmp_path)
    conf = tmp_path / "renewal" / "web.conf"
    text = conf.read_bytes()
    conf.write_bytes(text + b"#" * LARGEST_FILE)
    os.mkfifo(tmp_path / "renewal" / "a.conf")
    (tmp_path / "renewal" / "b.conf").symlink_to(conf)
    (tmp_path / "renewal" / "c.conf").mkdir()
    (tmp_path / "renewal" / "d.conf").write_bytes(b"\xff\0=\n=")
    assert owners(Adopt(str(live / "cert.pem"), str(live / "privkey.pem")), []) == []
