"""The parts of the address that a user has given: parameters, credentials, and a name for the datasource."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from sluice.domain.credential_names import carries_credential
from sluice.domain.datasource.base import RESERVED_SLUGS
from sluice.domain.names import SLUG_MAX, slug_of
from sluice.sources.http.detection.paths import plain_name

# Parameters that name a place in the pages. Their values are no credentials, although some names end with `token`.
_CURSORS = frozenset(
    {"pagetoken", "nextpagetoken", "nexttoken", "continuationtoken", "paginationtoken", "cursortoken", "cursor"}
    | {"nextcursor", "startcursor", "startingafter", "scrollid", "bookmark", "skiptoken", "marker"}
)
_DULL_LABELS = frozenset(
    {"www", "api", "apis", "data", "rest", "pro", "public", "open", "v1", "v2", "v3", "dev", "min"}
)
_DULL_WORDS = frozenset(
    {"api", "apis", "rest", "json", "data", "latest", "list", "all", "search", "query", "public", "resource", "index"}
    | {"csv", "xml", "jsonl", "php", "feed", "feeds", "export", "download", "w", "odata"}
)
_VERSION = re.compile(r"v?\d+(\.\d+)*", re.IGNORECASE)
# Public suffixes of two labels, such as co.uk, end with a country.
_SECOND_LEVELS = frozenset({"co", "com", "org", "net", "gov", "ac", "edu"})
_IDENTIFIER = re.compile(r"[0-9a-f-]{16,}|\d+|[0-9a-z]{4}-[0-9a-z]{4}", re.IGNORECASE)


@dataclass(frozen=True)
class Address:
    """An address, taken apart.

    Args:
        url: the address without credentials and without what is in `params`.
        params: its query parameters; empty if a name is repeated, since then they stay in `url`.
        credentials: query parameters that carry credentials.
        cursors: the names of removed parameters that would begin in the middle of the pages.
    """

    url: str
    params: dict[str, str]
    credentials: dict[str, str] = field(default_factory=dict, repr=False)
    cursors: tuple[str, ...] = ()


def take_apart(url: str) -> Address:
    """Separate an address from its query parameters and credentials.

    Args:
        url: an absolute HTTP address without user name and password.
    """
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    cursors = tuple(name for name, _ in pairs if plain_name(name) in _CURSORS)
    carried = {name: value for name, value in pairs if name not in cursors and carries_credential(name, value)}
    kept = [(name, value) for name, value in pairs if name not in cursors and name not in carried]
    bare = urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
    if len({name for name, _ in kept}) == len(kept) and all(name for name, _ in kept):
        return Address(bare, dict(kept), carried, cursors)
    query = "&".join(part for part in parts.query.split("&") if _name_of(part) not in {*carried, *cursors})
    return Address(f"{bare}?{query}", {}, carried, cursors)


def _name_of(part: str) -> str:
    return next((name for name, _ in parse_qsl(part, keep_blank_values=True)), "")


def name_of(url: str) -> str:
    """A display name for the datasource of an address, such as `github cpython issues`.

    Args:
        url: the address; its query is ignored.
    """
    parts = urlsplit(url)
    words = [_host_word(parts.hostname or "")]
    segments = [re.sub(r"\.[a-z]\w{1,6}$", "", unquote(segment)) for segment in parts.path.split("/")]
    telling = [segment for segment in segments if segment and not _is_dull(segment)]
    words += [word for segment in telling[-2:] for word in re.split(r"[^A-Za-z0-9]+", segment)]
    slug = slug_of(" ".join(dict.fromkeys(word for word in words if word)))
    # Better a dull word than none, and better an IP address than nothing.
    slug = slug or slug_of(" ".join(segments)) or slug_of(parts.hostname or "")
    return slug.replace("-", " ") or "source"


def _is_dull(segment: str) -> bool:
    plain = segment.lower()
    return plain in _DULL_WORDS or bool(_VERSION.fullmatch(plain) or _IDENTIFIER.fullmatch(plain))


def _host_word(host: str) -> str:
    """The label of a host that names its owner; empty for an IP address."""
    try:
        ip_address(host)
    except ValueError:
        labels = host.rstrip(".").split(".")
    else:
        return ""
    labels = labels[:-1] if len(labels) > 1 else labels
    if len(labels) > 1 and labels[-1] in _SECOND_LEVELS:
        labels = labels[:-1]
    telling = [label for label in labels if label not in _DULL_LABELS]
    word = telling[-1] if telling else labels[-1]
    return re.sub(r"^(api|pro|min)-|-(api|data)$", "", word)


def free_slug(name: str, is_taken: Callable[[str], bool]) -> str:
    """A slug for a display name that no datasource has.

    Args:
        name: the display name.
        is_taken: whether a datasource has, or had, a slug.

    Returns:
        The slug of the name; if it is taken, with a number that is free, up to 99.
    """
    slug = slug_of(name) or "source"
    slug = f"{slug}-source" if slug in RESERVED_SLUGS else slug
    for number in range(1, 100):
        ending = "" if number == 1 else f"-{number}"
        candidate = slug[: SLUG_MAX - len(ending)].rstrip("-") + ending
        if not is_taken(candidate):
            return candidate
    return slug


def secret_name_of(slug: str, param: str) -> str:
    """A name for the secret that replaces a credential in the address.

    Args:
        slug: the datasource's slug.
        param: the name of the query parameter.
    """
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", f"{slug}-{param}")[:63]
