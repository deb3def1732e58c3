"""The URI of a MongoDB: where the secret's value leads, who connects, and which of its options count."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import certifi
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from sluice.domain.credential_names import MASK
from sluice.domain.datasource.mongo_source import PORT, hosts_of
from sluice.errors import SecretUnusable, SourceUnreachable
from sluice.sources.http.auth import Credentials

Host = tuple[str, int]
_HONOURED = frozenset({
    "authmechanism", "authsource", "directconnection", "readconcernlevel", "readpreference", "replicaset", "tls",
    "tlsallowinvalidcertificates", "tlsallowinvalidhostnames", "tlsinsecure",
})  # fmt: skip
# What makes no difference to a reader of one connection.
_WITHOUT_EFFECT = frozenset({
    "appname", "compressors", "connecttimeoutms", "heartbeatfrequencyms", "journal", "localthresholdms",
    "maxconnecting", "maxidletimems", "maxpoolsize", "minpoolsize", "retryreads", "retrywrites",
    "servermonitoringmode", "serverselectiontimeoutms", "sockettimeoutms", "timeoutms", "uuidrepresentation", "w",
    "waitqueuetimeoutms", "wtimeoutms", "zlibcompressionlevel",
})  # fmt: skip
# Older names, which the driver turns into those above.
_ALIASES = frozenset({"j", "ssl", "wtimeout"})
# The others ask this machine for credentials, or send the password itself.
_MECHANISMS = (None, "DEFAULT", "SCRAM-SHA-1", "SCRAM-SHA-256")
_TLS = ("tlsallowinvalidcertificates", "tlsallowinvalidhostnames", "tlsinsecure")


@dataclass(frozen=True)
class Target:
    """What a URI says.

    Args:
        hosts: in the order of the URI, or of its SRV record.
        options: those that count, their names in lower case.
        secret_texts: the texts that no error and no log may show.
        host_names: the hosts, and the name of an SRV record, which none may show either.
    """

    hosts: list[Host]
    username: str | None = field(repr=False)
    password: str | None = field(repr=False)
    database: str | None
    options: Mapping[str, Any]
    secret_texts: Credentials = field(repr=False)
    host_names: frozenset[str] = field(repr=False)

    @property
    def read_preference(self) -> str:
        """Which members of a replica set are read."""
        return str(self.options.get("readpreference", "primary"))

    @property
    def is_direct(self) -> bool:
        """Whether the only host is read whatever its part in a replica set is."""
        return len(self.hosts) == 1 and bool(self.options.get("directconnection", "replicaset" not in self.options))

    def mask(self, text: str) -> str:
        """Return a text with the secrets and the hosts replaced by asterisks.

        A name without a dot may be a common word, so it is replaced only before a port.
        """
        text = self.secret_texts.mask(text)
        for host in sorted(self.host_names, key=len, reverse=True):
            port = r"(:\d+)?" if "." in host or ":" in host else r":\d+"
            text = re.sub(rf"(?<![\w.-])\[?{re.escape(host)}\]?{port}(?![\w-])", MASK, text, flags=re.IGNORECASE)
        return text

    def client_options(self, ca_file: str | None) -> dict[str, Any]:
        """The options of a client for any of the hosts.

        Args:
            ca_file: a file with the authorities that may have signed the server's certificate; none: the public.
        """
        options: dict[str, Any] = {"tls": self.options.get("tls", True)}
        if options["tls"]:
            options["tlsCAFile"] = ca_file or certifi.where()
            options |= {name: self.options[name] for name in _TLS if name in self.options}
        if "replicaset" in self.options:
            options["replicaSet"] = self.options["replicaset"]
        if self.username is not None:
            options |= {"username": self.username, "password": self.password or ""}
            options["authSource"] = self.options.get("authsource") or self.database or "admin"
            if self.options.get("authmechanism") not in (None, "DEFAULT"):
                options["authMechanism"] = self.options["authmechanism"]
        return options


def target_of(uri: str, secret: str, seconds: float) -> Target:
    """What the value of a secret says; of `mongodb+srv` DNS is asked for the hosts.

    Args:
        secret: the secret's name, for errors: nothing of its value may stand there.
        seconds: longest that DNS is waited for.

    Raises:
        SecretUnusable: it is no URI of MongoDB, or has an option that may not be used here.
        SourceUnreachable: the SRV record cannot be had.
    """
    uri = uri.strip()
    named = hosts_of(uri)
    if not named:
        raise _unusable(secret)
    _check_option_names(uri, secret)
    is_srv = uri.startswith("mongodb+srv://")
    try:
        parsed = parse_uri(uri, validate=True, warn=False, connect_timeout=seconds)
    except (PyMongoError, ValueError, OSError):  # the driver's texts quote the URI
        if is_srv:
            raise SourceUnreachable(
                f"DNS has no SRV record for the host in the secret {secret!r}, or it is no usable URI."
            ) from None
        raise _unusable(secret) from None
    hosts = [(host, port or PORT) for host, port in parsed["nodelist"]]
    if not hosts or any(host.endswith(".sock") for host, _ in hosts) or (not is_srv and hosts != named):
        raise _unusable(secret)
    options = {name.lower(): value for name, value in dict(parsed["options"]).items()}
    _check_options(options, secret)
    values = (uri, parsed["password"], parsed["username"])
    return Target(
        hosts=hosts,
        username=parsed["username"],
        password=parsed["password"],
        database=parsed["database"],
        options=options,
        secret_texts=Credentials(values=tuple(value for value in values if value)),
        host_names=frozenset(host for host, _ in [*named, *hosts]),
    )


def _unusable(secret: str) -> SecretUnusable:
    return SecretUnusable(
        f"The secret {secret!r} holds no usable URI: it must be mongodb://user:password@host:port/… or "
        "mongodb+srv://…, with the user's name and the password percent-encoded, and known options."
    )


def _check_option_names(uri: str, secret: str) -> None:
    """Refuse options before the driver reads them: it opens files, and does not name unknown ones."""
    query = uri.partition("?")[2]
    names = [option.partition("=")[0] for option in re.split("[&;]", query)]
    for name in filter(None, names):
        if name.lower() not in _HONOURED | _WITHOUT_EFFECT | _ALIASES:
            # Behind an `@` that is not encoded, or with other characters, it may be a part of the password.
            is_name = "@" not in query and re.fullmatch("[A-Za-z]+", name)
            raise _unsupported(name, secret) if is_name else _unusable(secret)


def _unsupported(option: str, secret: str) -> SecretUnusable:
    return SecretUnusable(
        f"The URI in the secret {secret!r} has the option {option}, which is unknown or not supported: options that "
        "name files, ask this machine for credentials or choose members by tags are refused."
    )


def _check_options(options: Mapping[str, Any], secret: str) -> None:
    unknown = sorted(options.keys() - _HONOURED - _WITHOUT_EFFECT)
    if unknown:
        raise _unsupported(unknown[0], secret)
    if options.get("authmechanism") not in _MECHANISMS:
        raise SecretUnusable(
            f"The URI in the secret {secret!r} asks for another way to authenticate than SCRAM-SHA-1 or SCRAM-SHA-256."
        )
