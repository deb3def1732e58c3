"""The registry of kinds of inputs: each is a module with a `KIND`."""

from __future__ import annotations

from sluice.inputs import clusters, document, topology, traffic_matrix
from sluice.inputs.kind import InputKind

KINDS: dict[str, InputKind] = {
    module.KIND.name: module.KIND for module in (document, topology, traffic_matrix, clusters)
}
