"""Many readers of one address of the API at the same time."""

from __future__ import annotations

import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx

from sluice_client._retries import Retries
from support.stack import Deployed

_RETRIES = Retries(lost_attempts=1)
# An outcome such as `hit` or `error: 500`, and the mark of the version that the answer shows.
Judge = Callable[[httpx.Response], tuple[str, int | None]]


class Readers:
    """Many readers, each a thread with a connection of its own; their first requests are spread over one pause.

    Args:
        deployed: the stack.
        path: what they read, below the API's address.
        judge: says what an answer is worth, and which version it shows.
        count: how many they are.
        pause: seconds between the requests of each.
    """

    def __init__(self, deployed: Deployed, path: str, judge: Judge, count: int, pause: float) -> None:
        self._pause = pause
        self._judge = judge
        self._url = f"{deployed.url}{path}"
        self._key = deployed.description["api_key"]
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._read, args=(pause * at / count,)) for at in range(count)]
        self._lock = threading.Lock()
        self.refusals = 0
        self.seconds: list[float] = []
        self.outcomes: Counter[str] = Counter()
        self.marks: Counter[int] = Counter()

    def __enter__(self) -> Readers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _read(self, wait: float) -> None:
        self._stop.wait(wait)
        # Reading certificates takes longer than a request, and there are none here.
        with httpx.Client(headers={"x-api-key": self._key}, timeout=120, trust_env=False, verify=False) as client:
            while not self._stop.is_set():
                begun = time.perf_counter()
                try:
                    answer = _RETRIES.send(lambda: self._asked(client))
                    outcome, mark = self._judge(answer)
                except httpx.HTTPError as error:
                    outcome, mark = f"error: {type(error).__name__}", None
                with self._lock:
                    self.seconds.append(time.perf_counter() - begun)
                    self.outcomes[outcome] += 1
                    self.marks.update([] if mark is None else [mark])
                self._stop.wait(self._pause)

    def _asked(self, client: httpx.Client) -> httpx.Response:
        answer = client.get(self._url)
        with self._lock:
            self.refusals += answer.status_code in (429, 503)
        return answer

    def speed(self, elapsed: float) -> str:
        """How many requests there were, and how long they took.

        Args:
            elapsed: the seconds that the readers have read.
        """
        ordered = sorted(self.seconds)
        return (
            f"{elapsed:.0f} s, {len(ordered)} requests, {len(ordered) / elapsed:.0f} a second, "
            f"median {statistics.median(ordered) * 1000:.0f} ms, "
            f"95 % within {ordered[int(len(ordered) * 0.95)] * 1000:.0f} ms"
        )
