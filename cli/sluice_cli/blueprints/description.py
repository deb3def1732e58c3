"""The document in `blueprint.yaml`."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from sluice.domain.base import Document
from sluice.domain.datasource import Description, DisplayName
from sluice.domain.names import SecretName, Slug
from sluice.domain.secret import SecretValue


class SampleServer(Document):
    """A server that answers like the real APIs, for a demonstration without keys of one's own."""

    command: Annotated[str, Field(min_length=1)] = Field(
        description="The server's Python file; it gets its port as the argument."
    )
    environment: dict[str, str] = Field(
        default_factory=dict,
        description="Values of the blueprint's variables that point to the server; `${SAMPLE_URL}` is its address.",
    )


class Show(Document):
    """The rows that the demonstration shows at its end."""

    model: str | None = Field(None, description="A model of the project; null: the merged rows.")
    select: Annotated[str, Field(min_length=1)] = Field(description="Columns, separated by commas.")
    where: list[str] = Field(default_factory=list, description="Conditions `<column>.<op>:<value>`; all must hold.")
    order: str | None = Field(None, description="Columns, separated by commas; a leading `-` sorts descending.")
    limit: Annotated[int, Field(ge=1, le=200)] = Field(50, description="The most rows that are shown.")


def _with_value(secret: Any) -> Any:
    return {"value": secret} if isinstance(secret, str) else secret


Secret = Annotated[SecretValue, BeforeValidator(_with_value, json_schema_input_type=str | SecretValue)]


class BlueprintDescription(Document):
    """What `blueprint.yaml` contains."""

    name: DisplayName | None = Field(None, description="The name of the blueprint.")
    description: Description | None = Field(None, description="What the blueprint is for, as plain text.")
    project: Slug | None = Field(
        None,
        description="The project of the folders `models`, `algorithms`, `reports` and `endpoints` beside this file; "
        "null: the only one in `projects`.",
    )
    secrets: dict[SecretName, Secret] = Field(
        default_factory=dict,
        description="The secrets that datasources name. A text is the value, usually `${VARIABLE}`; an object sets "
        "where the value may be sent, too.",
    )
    sample: SampleServer | None = Field(None, description="The server of the demonstration. Null: none.")
    feed: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="The Python file that the demonstration runs before it refreshes the project, to send readings; it "
        "gets the address and key of the API in `SLUICE_API` and `SLUICE_API_KEY`. Null: none.",
    )
    show: Show | None = Field(None, description="The rows that the demonstration prints. Null: none.")
    addresses: list[str] = Field(default_factory=list, description="Addresses to try, below the API's.")
