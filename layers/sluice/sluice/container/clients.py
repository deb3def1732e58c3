"""The clients of AWS's services, each made once per process."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from sluice.settings import Settings

if TYPE_CHECKING:
    from sluice.lake.direct import DirectObjects


@lru_cache(maxsize=1)
def session() -> Any:
    """This process's botocore session; it loads each service's description once, however many clients there are."""
    from botocore.session import get_session

    return get_session()


def _send_at_once(request: Any, **_: Any) -> None:
    """Remove `Expect: 100-continue`: for a small page, waiting for S3's go-ahead would double the round trips."""
    del request.headers["Expect"]


class Clients:
    """Makes clients of botocore, and keeps those that several adapters share."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def make(self, service: Any, endpoint_url: str | None = None, **config: Any) -> Any:
        """A new client; tests override this.

        Args:
            service: botocore's name of the service.
            endpoint_url: where the service is; null: where AWS or the emulator has it.
            config: fields of botocore's `Config`.
        """
        # botocore instead of boto3, imported here: boto3 would add 300 ms to every cold start.
        from botocore.config import Config

        # botocore's default mode does not retry all throttling errors, and its default time-outs of 60 s would
        # use up a function's time.
        retries: Any = {"mode": "standard", "max_attempts": 5}
        settings: Any = {"retries": retries, "connect_timeout": 5, "read_timeout": 60, **config}
        client_config = Config(**settings)
        return session().create_client(service, config=client_config, endpoint_url=endpoint_url)

    @cached_property
    def dynamodb(self) -> Any:
        """The DynamoDB client."""
        # botocore would check every value of every item: `catalog/values.py` encodes them and DynamoDB checks them.
        return self.make("dynamodb", parameter_validation=False)

    @cached_property
    def s3(self) -> Any:
        """The S3 client."""
        client = self.make("s3")
        client.meta.events.register("before-sign.s3.PutObject", _send_at_once)
        return client

    @cached_property
    def presigning(self) -> Any:
        """An S3 client for presigned URLs, which must have a host name that the outside can reach."""
        # SigV4, which presigned forms need. Path style, since an emulator's host name has no buckets in it.
        endpoint = self.settings.public_s3_url or None
        return self.make("s3", endpoint, signature_version="s3v4", s3={"addressing_style": "path"})

    def direct_dynamodb(self) -> Any:
        """The direct DynamoDB client for blocks of readings, see `catalog/direct.py`; tests override this."""
        from sluice.catalog.direct import DirectDynamoDB

        return DirectDynamoDB(self.dynamodb, session())

    def direct_objects(self) -> DirectObjects | None:
        """The direct S3 client for pages, see `lake/direct.py`; tests override this."""
        from sluice.lake.direct import DirectObjects

        return DirectObjects(self.s3, session(), self.settings.lake_bucket)
