"""Hostile requests to every kind of route that takes data, as families of payloads and the places they go to.

They name the resources of the OpenAPI document's examples, see `support.examples.seed_examples`.
"""

from support.hostile import bodies, data, documents, requests
from support.hostile.attack import Attack

__all__ = ["Attack", "all_attacks"]
FAMILIES = (
    bodies.bodies,
    bodies.texts,
    requests.cursors,
    requests.queries,
    requests.headers,
    requests.credentials,
    requests.paths,
    documents.addresses,
    documents.expressions,
    documents.statements,
    documents.times,
    documents.algorithm_runs,
    documents.inputs,
    data.records,
    data.files,
)


def all_attacks() -> list[Attack]:
    """Every attack, in the order in which the test sends them."""
    return [attack for family in FAMILIES for attack in family()]
