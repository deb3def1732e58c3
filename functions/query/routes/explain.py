"""Single merged records, and why they are what they are."""

from sluice.bootstrap import Platform
from sluice.http.call import Answer, Call
from sluice.http.resources import PROJECTS
from sluice.http.routes import Parameter, Routes
from sluice.merge.explain import Explainer

routes = Routes("data")
_MOST_VERSIONS = 10**12
_KEY = Parameter("key", "The value of each column of the key, in their order.", repeated=True)
_VERSION = Parameter("version", "A version instead of the published one.", {"type": "integer", "minimum": 1})


@routes.get("/projects/{slug}/explain", answer={"type": "object"}, parameters=[_KEY, _VERSION])
def explain_record(call: Call, services: Platform, slug: str) -> Answer:
    """Where each value of a merged record came from, by which rule, and what lost."""
    PROJECTS.load(call, services, slug)
    number = call.integer("version", 0, 1, _MOST_VERSIONS)
    dataset = f"project/{slug}"
    version = services.datasets.version(dataset, number) if number else services.datasets.published(dataset)
    explainer = Explainer(version, services.datasets, services.lake, services.settings, services.pages.get)
    return Answer(explainer.explain(call.many("key")))
