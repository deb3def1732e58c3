"""airbyte-cdk's declarative source: `ingest_airbyte.py URL FOLDER`. Its records are counted and not kept."""

from __future__ import annotations

import logging
import sys

from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer, Type
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource

from benchmarks.peers.measuring import report


def manifest(url: str) -> dict[str, object]:
    """The source as a manifest with the stream `records`."""
    stream = {
        "type": "DeclarativeStream",
        "name": "records",
        "schema_loader": {"type": "InlineSchemaLoader", "schema": {"type": "object", "additionalProperties": True}},
        "retriever": {
            "type": "SimpleRetriever",
            "requester": {"type": "HttpRequester", "url_base": url, "path": "/records", "http_method": "GET"},
            "record_selector": {
                "type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": ["items"]},
            },
            "paginator": {
                "type": "DefaultPaginator",
                "pagination_strategy": {
                    "type": "OffsetIncrement",
                    "page_size": 1000,
                    "inject_on_first_request": True,
                },
                "page_token_option": {
                    "type": "RequestOption",
                    "inject_into": "request_parameter",
                    "field_name": "offset",
                },
                "page_size_option": {
                    "type": "RequestOption",
                    "inject_into": "request_parameter",
                    "field_name": "limit",
                },
            },
        },
    }
    check = {"type": "CheckStream", "stream_names": ["records"]}
    return {"version": "6.0.0", "type": "DeclarativeSource", "check": check, "streams": [stream]}


def ingest(url: str) -> int:
    """Read the stream; how many records there were."""
    stream = {"name": "records", "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
    selected = {"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}
    catalog = ConfiguredAirbyteCatalogSerializer.load({"streams": [selected]})
    source = ConcurrentDeclarativeSource(catalog=catalog, config={}, state=[], source_config=manifest(url))
    messages = source.read(logging.getLogger("airbyte"), {}, catalog, [])
    return sum(message.type is Type.RECORD for message in messages)


if __name__ == "__main__":
    logging.disable(logging.INFO)
    report(lambda: ingest(sys.argv[1]))
