# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What AWS says in trouble, as its documentation has it, told by a server of this test: moto is never in any."""

from __future__ import annotations

import contextlib
import json
import os
import socketserver
import ssl
import subprocess
import sys
import threading
import time
import typing as t
from http.server import BaseHTTPRequestHandler

import pytest
import trustme
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import (
    Denied,
    KeysteadError,
    Misconfigured,
    Unavailable,
)
from ansible_collections.keystead.identity.plugins.plugin_utils._aws.client import Client
from ansible_collections.keystead.identity.plugins.plugin_utils._aws.errors import Refused
from ansible_collections.keystead.identity.tests.harness.issuers import check_sentence
from ansible_collections.keystead.identity.tests.harness.moto import nowhere, reached

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.needs("moto"), pytest.mark.one_core]

SECRETS = ("the-secret-key-of-this-test", "the-session-token-of-this-test", "what-only-the-manager-knows")
PACKAGE = "ansible_collections.keystead.identity.plugins.plugin_utils._aws"


class Server(socketserver.ThreadingTCPServer):
    """Answers each request with the same status and body, after a while; keeps what it was asked."""

    daemon_threads = allow_reuse_address = True

    def __init__(self, status: int, body: t.Any, pause: float = 0.0) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status, self.body, self.pause = status, body, pause
        self.asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        self.server.asked.append(self.headers["X-Amz-Target"])
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(self.server.pause)
        content = json.dumps(self.server.body).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with contextlib.suppress(OSError):
            self.wfile.write(content)

    def log_message(self, *_said: t.Any) -> None:
        """Say nothing."""


@contextlib.contextmanager
def answering(
    directory: Path, status: int, body: t.Any, pause: float = 0.0, *, tls: trustme.CA | None = None, **further: str
) -> t.Iterator[Server]:
    """Run a server that boto3 takes for AWS."""
    with Server(status, body, pause) as server:
        if tls is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.issue_cert("127.0.0.1").configure_cert(context)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        environment = {
            **nowhere(directory),
            "AWS_ENDPOINT_URL": f"{'https' if tls else 'http'}://127.0.0.1:{server.server_address[1]}",
            "AWS_DEFAULT_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7KEYSTEAD",
            "AWS_SECRET_ACCESS_KEY": SECRETS[0],
            "AWS_SESSION_TOKEN": SECRETS[1],
            **further,
        }
        with reached(environment):
            yield server
        server.shutdown()


def refused(kind: type[KeysteadError], operation: str = "ListKeys", service: str = "kms", **parameters: t.Any) -> str:
    with pytest.raises(kind) as error:
        Client("aws_kms", service, {"timeout": "20s"}).call(operation, **parameters)
    return check_sentence(error.value, "aws_kms", SECRETS)


def test_an_answer_is_returned(tmp_path: Path) -> None:
    with answering(tmp_path, 200, {"Keys": []}) as server:
        assert Client("aws_kms", "kms", {}).call("ListKeys")["Keys"] == []
        assert server.asked == ["TrentService.ListKeys"]


def test_one_client_serves_a_process(tmp_path: Path) -> None:
    from ansible_collections.keystead.identity.plugins.plugin_utils._aws import client

    with answering(tmp_path, 200, {"Keys": []}):
        before = len(client._MADE)
        for _ in range(3):
            Client("aws_kms", "kms", {"timeout": "30s"}).call("ListKeys")
        assert len(client._MADE) == before + 1


def test_what_is_throttled_is_tried_again_and_then_said(tmp_path: Path) -> None:
    with answering(tmp_path, 400, {"__type": "ThrottlingException", "message": "Rate exceeded"}) as server:
        said = refused(Unavailable)
    assert said == "aws_kms: AWS throttles kms:ListKeys (Throttling); run again later, or for fewer hosts at a time"
    assert len(server.asked) == 3


def test_what_breaks_at_aws_is_to_be_tried_later(tmp_path: Path) -> None:
    with answering(tmp_path, 500, {"__type": "KMSInternalException", "message": "internal"}):
        assert "kms:ListKeys failed at AWS with status 500; run again later" in refused(Unavailable)


@pytest.mark.parametrize(
    "code", ["ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException"]
)
def test_credentials_that_aws_does_not_take_are_said_without_what_it_repeats(tmp_path: Path, code: str) -> None:
    body = {"__type": code, "message": f"The canonical string should have been x-amz-security-token:{SECRETS[1]}"}
    with answering(tmp_path, 400, body):
        said = refused(Denied)
    assert f"AWS does not accept the credentials that boto3 found ({code.removesuffix('Exception')})" in said


def test_a_denial_names_the_action_that_has_to_be_permitted(tmp_path: Path) -> None:
    body = {"__type": "AccessDeniedException", "Message": "User: arn:aws:iam::111122223333:user/x is not authorized"}
    with answering(tmp_path, 400, body):
        said = refused(Refused, "DescribeKey", KeyId="alias/web")
    assert said.startswith("aws_kms: access is denied to kms:DescribeKey (User: arn:aws:iam::111122223333:user/x is")


def test_a_secret_that_an_answer_repeats_is_not_repeated(tmp_path: Path) -> None:
    for repeated in SECRETS:
        body = {"__type": "InvalidParameterException", "message": f"{repeated} is too short"}
        with answering(tmp_path, 400, body):
            said = refused(Refused, "CreateSecret", "secretsmanager", Name="web", SecretString=SECRETS[2])
        assert said == "aws_kms: secretsmanager:CreateSecret is refused (InvalidParameter)"


def test_a_parameter_that_boto3_refuses_is_not_repeated(tmp_path: Path) -> None:
    with answering(tmp_path, 200, {}):
        refused(Misconfigured, "CreateSecret", "secretsmanager", Name="web", SecretString=SECRETS)


def test_one_deadline_holds_for_a_call_with_all_its_tries(tmp_path: Path) -> None:
    with answering(tmp_path, 200, {"Keys": []}, pause=30):
        Client("aws_kms", "kms", {}).knows("KeySpec", "RSA_2048")  # what is imported takes its time
        begun = time.monotonic()
        with pytest.raises(Unavailable, match=r"did not answer.* (1s|in time) \(option timeout\)"):
            Client("aws_kms", "kms", {"timeout": "1s"}).call("ListKeys")
        assert time.monotonic() - begun < 20


@pytest.mark.parametrize("timeout", ["0s", "soon"])
def test_a_timeout_that_is_none_is_refused(timeout: str) -> None:
    with pytest.raises(Misconfigured):
        Client("aws_kms", "kms", {"timeout": timeout})


def test_tls_is_verified_against_the_authorities_of_the_bundle_and_no_others(tmp_path: Path) -> None:
    ours, theirs = trustme.CA(), trustme.CA()
    bundle = tmp_path / "ca.pem"
    ours.cert_pem.write_to_path(str(bundle))
    with answering(tmp_path, 200, {"Keys": []}, tls=ours, AWS_CA_BUNDLE=str(bundle)):
        assert Client("aws_kms", "kms", {}).call("ListKeys")["Keys"] == []
    for further in ({}, {"AWS_CA_BUNDLE": str(bundle)}):
        with answering(tmp_path, 200, {"Keys": []}, tls=theirs, **further) as server:
            assert "TLS with https://127.0.0.1 fails, its certificate is not one" in refused(Misconfigured)
            assert server.asked == []


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "ca_bundle"])
def test_an_empty_name_of_a_bundle_could_mean_to_verify_nothing_and_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if name == "ca_bundle":
        (tmp_path / "config").write_text("[default]\nca_bundle =\n", encoding="ascii")
    else:
        monkeypatch.setenv(name, "")
    further = {name: ""} if name.startswith("AWS_") else {}
    with answering(tmp_path, 200, {"Keys": []}, tls=trustme.CA(), **further) as server:
        assert "mean that no TLS certificate is verified" in refused(Misconfigured)
        assert server.asked == []


def test_an_endpoint_of_the_profile_over_http_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "config").write_text(
        "[default]\nservices = s\n[services s]\nkms =\n  endpoint_url = http://kms.example.org\n", encoding="ascii"
    )
    with answering(tmp_path, 200, {}):
        del os.environ["AWS_ENDPOINT_URL"]
        assert "the endpoint http://kms.example.org is not safe; write https" in refused(Misconfigured)


def test_boto3_that_is_missing_is_named_with_the_line_that_installs_it() -> None:
    script = (
        f"import sys; sys.modules['boto3'] = None\nfrom {PACKAGE}.client import Client\n"
        "try:\n    Client('aws_kms', 'kms', {}).call('ListKeys')\nexcept Exception as error:\n    print(error)"
    )
    paths = os.environ["ANSIBLE_COLLECTIONS_PATH"].partition(os.pathsep)[0]
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, env={"PYTHONPATH": paths}
    )
    assert done.stdout == (
        "aws_kms: boto3 is missing on the controller; install it for the Python of ansible-core: pip install boto3\n"
    )


def test_nothing_is_imported_before_the_first_call() -> None:
    script = (
        f"import sys\nfrom {PACKAGE}.client import Client\nfrom {PACKAGE}.kms import Kms\nKms({{}}, 'web')\n"
        "print([name for name in sys.modules if name.startswith('boto')])"
    )
    paths = os.environ["ANSIBLE_COLLECTIONS_PATH"].partition(os.pathsep)[0]
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, env={"PYTHONPATH": paths}
    )
    assert done.stdout == "[]\n"
