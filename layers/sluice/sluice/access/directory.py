"""The people and API keys that something can be shared with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from sluice.access.api_keys import KeyRing, is_expired
from sluice.catalog.people import People
from sluice.domain.identity import ApiKey
from sluice.domain.person import Account, Person

_KEY_PAGE = 200
# The name of a source, and the principal or id in it that the next page begins after; None: at its beginning.
Position = tuple[str, str | None]


@dataclass(frozen=True)
class Entry:
    """A principal that the directory has.

    Args:
        principal: `user/{sub}` or `key/{id}`.
        person: what is known of a person who has signed in; None for others.
    """

    principal: str
    name: str | None
    email: str | None = None
    person: Person | None = None


class Accounts(Protocol):
    """The accounts of a user pool."""

    def with_email(self, beginning: str) -> list[Account]:
        """Some of those whose e-mail address begins with a text."""
        ...


_Source = Callable[[str, int, str | None], tuple[list[Entry], str | None]]


class Directory:
    """Finds principals by name and e-mail address.

    Args:
        pool: the stack's own user pool, which also has people who never signed in; None if there is none.
        most: how many people, and how many keys, one call searches at most.
    """

    def __init__(self, people: People, keys: KeyRing, pool: Accounts | None, most: int) -> None:
        self._people = people
        self._keys = keys
        self._pool = pool
        self._most = most

    def page(self, limit: int, after: str | None) -> tuple[list[Entry], str | None]:
        """One page of the people who have signed in, by principal.

        Returns:
            The entries, and the principal that the next page begins after; None on the last one.
        """
        people, following = self._people.page(limit, after)
        return [_entry_of(person) for person in people], following

    def search(
        self, text: str, limit: int, position: Position | None, *, keys: bool
    ) -> tuple[list[Entry], Position | None]:
        """One page of the principals whose name or e-mail address contains a text, in any case.

        Args:
            position: the end of the previous page; None for the first page.
            keys: whether API keys are searched, too.

        Returns:
            The entries, and where the next page begins; None on the last one. A page may have fewer entries than
            the limit, or none, and still not be the last one.
        """
        sources: dict[str, _Source] = {"people": self._search_people}
        sources |= {"pool": self._search_pool} if self._pool else {}
        sources |= {"keys": self._search_keys} if keys else {}
        names = list(sources)
        source, after = position or (names[0], None)
        wanted, entries = text.casefold(), list[Entry]()
        for name in names[names.index(source) :] if source in names else []:
            if len(entries) == limit:
                return entries, (name, None)
            matches, after = sources[name](wanted, limit - len(entries), after)
            entries += matches
            if after is not None:
                return entries, (name, after)
        return entries, None

    def _search_people(self, text: str, room: int, after: str | None) -> tuple[list[Entry], str | None]:
        entries: list[Entry] = []
        for read, person in enumerate(self._people.after(after), 1):
            if _matches(text, person.email, person.name):
                entries.append(_entry_of(person))
            if len(entries) == room or read == self._most:
                return entries, person.id
        return entries, None

    def _search_pool(self, text: str, room: int, after: str | None) -> tuple[list[Entry], str | None]:
        """People who have an account and were not found as people who have signed in."""
        assert self._pool is not None
        accounts = {f"user/{account.sub}": account for account in self._pool.with_email(text)}
        known = self._people.find_all(list(accounts))
        listed = {principal for principal, person in known.items() if _matches(text, person.email, person.name)}
        others = sorted(principal for principal in accounts.keys() - listed if after is None or principal > after)
        entries = [_entry_of_account(principal, accounts[principal]) for principal in others[:room]]
        return entries, others[room - 1] if len(others) > room else None

    def _search_keys(self, text: str, room: int, after: str | None) -> tuple[list[Entry], str | None]:
        entries, read = list[Entry](), 0
        while True:
            page, following = self._keys.page(_KEY_PAGE, after)
            for definition in page:
                read += 1
                key = ApiKey.model_validate(definition.document)
                if _matches(text, key.name) and not is_expired(key):
                    entries.append(Entry(f"key/{key.id}", key.name))
                if len(entries) == room or read == self._most:
                    return entries, key.id
            if following is None:
                return entries, None
            after = following


def _matches(text: str, *values: str | None) -> bool:
    return any(value is not None and text in value.casefold() for value in values)


def _entry_of(person: Person) -> Entry:
    return Entry(person.id, person.name, person.email, person)


def _entry_of_account(principal: str, account: Account) -> Entry:
    return Entry(principal, account.name, account.email)
