"""With whom projects, datasources and inputs are shared."""

from urllib.parse import quote, unquote

from sluice.api.call import Answer, Call
from sluice.api.paging import paginate
from sluice.api.resources import retry_overtaken_write
from sluice.api.routes import CURSOR, IF_MATCH, LIMIT, Routes
from sluice.catalog.definitions import Definition
from sluice.container import Container
from sluice.domain.member import MemberRequest
from sluice.projects.membership import find_member, member_view, members_of, share, unshare

routes = Routes("members")
_LIST = [LIMIT, CURSOR]


@routes.get("/projects/{slug}/members", "member.read", answer="MemberViewList", parameters=_LIST)
def list_project_members(call: Call, services: Container, slug: str) -> Answer:
    """Those with whom a project is shared, its owner first."""
    return _list(call, services)


@routes.put(
    "/projects/{slug}/members/{principal}",
    "member.manage",
    body=MemberRequest,
    answer="MemberView",
    parameters=[IF_MATCH],
)
def put_project_member(call: Call, services: Container, slug: str, principal: str) -> Answer:
    """Share a project with a user, a group or a key, or change as what it is shared."""
    return _put(call, services, principal)


@routes.delete("/projects/{slug}/members/{principal}", "member.manage", status=204, parameters=[IF_MATCH])
def delete_project_member(call: Call, services: Container, slug: str, principal: str) -> Answer:
    """End that a project is shared with somebody; the next request no longer has it."""
    return _delete(call, services, principal)


@routes.get("/datasources/{slug}/members", "member.read", answer="MemberViewList", parameters=_LIST)
def list_datasource_members(call: Call, services: Container, slug: str) -> Answer:
    """Those with whom a datasource is shared, its owner first; who sees a project that uses it is not listed."""
    return _list(call, services)


@routes.put(
    "/datasources/{slug}/members/{principal}",
    "member.manage",
    body=MemberRequest,
    answer="MemberView",
    parameters=[IF_MATCH],
)
def put_datasource_member(call: Call, services: Container, slug: str, principal: str) -> Answer:
    """Share a datasource with a user, a group or a key, or change as what it is shared."""
    return _put(call, services, principal)


@routes.delete("/datasources/{slug}/members/{principal}", "member.manage", status=204, parameters=[IF_MATCH])
def delete_datasource_member(call: Call, services: Container, slug: str, principal: str) -> Answer:
    """End that a datasource is shared with somebody; the next request no longer has it."""
    return _delete(call, services, principal)


@routes.get("/inputs/{slug}/members", "member.read", answer="MemberViewList", parameters=_LIST)
def list_input_members(call: Call, services: Container, slug: str) -> Answer:
    """Those with whom an input is shared, its owner first."""
    return _list(call, services)


@routes.put(
    "/inputs/{slug}/members/{principal}",
    "member.manage",
    body=MemberRequest,
    answer="MemberView",
    parameters=[IF_MATCH],
)
def put_input_member(call: Call, services: Container, slug: str, principal: str) -> Answer:
    """Share an input with a user, a group or a key, or change as what it is shared."""
    return _put(call, services, principal)


@routes.delete("/inputs/{slug}/members/{principal}", "member.manage", status=204, parameters=[IF_MATCH])
def delete_input_member(call: Call, services: Container, slug: str, principal: str) -> Answer:
    """End that an input is shared with somebody; the next request no longer has it."""
    return _delete(call, services, principal)


def _list(call: Call, services: Container) -> Answer:
    resource = call.definition
    return paginate(call, services, ["members", resource.kind, resource.name], members_of(services, resource))


def _put(call: Call, services: Container, principal: str) -> Answer:
    def put(resource: Definition | None) -> Answer:
        resource = _present(call, resource)
        before = find_member(services, resource, principal)
        request = call.document(MemberRequest, None, lambda: call.require_match(before.etag if before else None))
        member = share(services, resource, principal, request.role, call.principal.id, before)
        headers = {"ETag": f'"{member.etag}"'}
        if before is None:
            headers["Location"] = call.url(quote(unquote(call.path.partition("/v1")[2]), safe="/:@"))
        return Answer(member_view(member), 200 if before else 201, headers)

    return retry_overtaken_write(call, put)


def _delete(call: Call, services: Container, principal: str) -> Answer:
    def delete(resource: Definition | None) -> Answer:
        resource = _present(call, resource)
        before = find_member(services, resource, principal)
        if before is not None:
            call.require_match(before.etag)
        call.require_known_parameters()
        unshare(services, resource, principal, before)
        return Answer(status=204)

    return retry_overtaken_write(call, delete)


def _present(call: Call, resource: Definition | None) -> Definition:
    assert call.target is not None
    if resource is None:
        raise call.target.missing
    return resource
