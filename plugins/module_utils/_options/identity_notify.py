# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a task may say to identity_notify."""

from __future__ import annotations

from .option import Option
from .server import CA_BUNDLE, TIMEOUT

_SERVER = {
    "token": Option("A bearer token that says who we are (RFC 6750).", no_log=True),
    "token_file": Option("A file on the controller whose first line is it.", type="path", no_log=False),
    "ca_bundle": CA_BUNDLE,
    "timeout": TIMEOUT,
}
RECEIVER = {
    "webhook": Option(
        "A server that is sent each event by C(POST), as JSON, with the id of the event in the header "
        "C(Idempotency-Key), and answers with a status of 2xx.",
        type="dict",
        options={"url": Option("Where to send it. TLS, but for this machine itself.", required=True), **_SERVER},
    ),
    "alertmanager": Option(
        "An Alertmanager, by its API in version 2.",
        type="dict",
        options={
            "url": Option(
                "Where it is, without C(/api/v2/alerts), for example V(https://alerts.example.org:9093). TLS, but for "
                "this machine itself.",
                required=True,
            ),
            "lasts": Option(
                "After what time an alert is over that nobody told again, for example because the event source has "
                "C(remind).",
                default="26h",
            ),
            **_SERVER,
        },
    ),
}
OPTIONS = {
    "events": Option(
        "Events as the event source C(keystead.identity.identity_events) tells them: each has at least "
        "C(id), C(type), C(severity) and C(message).",
        type="list",
        elements="dict",
        required=True,
    ),
    "receivers": Option(
        "Who is told, each exactly one of these.",
        type="list",
        elements="dict",
        options=RECEIVER,
        one_of=True,
        required=True,
    ),
    "state": Option(
        "The absolute path of a file on the controller that keeps who was told of what. It is made where it is not "
        "there. Nobody is told of one event twice.",
        type="path",
        required=True,
    ),
}
