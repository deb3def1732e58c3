"""The access policy: one function decides whether a principal may do an action on a resource.

Each route declares its action. A new action is one line in `ACTIONS`; a new way of sharing a
resource is one more fact in `Resource` and one more line in `decide`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sluice.domain.identity import Principal, Role
from sluice.domain.member import MEMBER_ROLES, MemberRole
from sluice.errors import Forbidden, NotFound

Decision = Literal[
    "allowed", "role_too_low", "member_role_too_low", "outside_projects", "used_elsewhere", "not_owner", "hidden"
]
_RANK: dict[Role, int] = {"viewer": 0, "editor": 1, "admin": 2}
_MEMBER_RANK: dict[MemberRole, int] = {role: rank for rank, role in enumerate(MEMBER_ROLES)}


@dataclass(frozen=True)
class Rule:
    """Who may do an action.

    Args:
        role: the lowest role.
        owner: whether only the resource's owner or an admin may do it.
        in_projects: whether it acts on what belongs to projects, so that a key for some projects may do it.
        private: whether nobody else may know of the resource.
        shared: whether it changes what other projects use, too, so that a key for some projects may do it only if
            these are all projects that use the resource.
        member: the lowest role of a member who may do it on what is shared; null if sharing does not matter.
    """

    role: Role
    owner: bool = False
    in_projects: bool = True
    private: bool = False
    shared: bool = False
    member: MemberRole | None = None


ACTIONS: dict[str, Rule] = {
    "identity.read": Rule("viewer"),
    "user.list": Rule("viewer"),
    "key.manage": Rule("admin"),
    "secret.manage": Rule("admin"),
    "page.read": Rule("editor"),
    "datasource.list": Rule("viewer"),
    "datasource.create": Rule("editor"),
    "datasource.try": Rule("editor"),
    "datasource.read": Rule("viewer", member="viewer"),
    "datasource.use": Rule("editor", member="editor"),
    "datasource.update": Rule("editor", owner=True, member="editor"),
    "datasource.delete": Rule("editor", owner=True, member="owner"),
    "datasource.restore": Rule("editor", owner=True, member="owner"),
    "datasource.run": Rule("editor", member="editor"),
    "datasource.replay": Rule("editor", owner=True, member="editor"),
    "datasource.erase": Rule("editor", owner=True, member="owner"),
    "datasource.push": Rule("editor", owner=True, member="editor"),
    "project.list": Rule("viewer"),
    "project.create": Rule("editor"),
    "project.read": Rule("viewer", member="viewer"),
    "project.update": Rule("editor", owner=True, member="editor"),
    "project.delete": Rule("editor", owner=True, member="owner"),
    "project.assign": Rule("editor", owner=True, member="editor"),
    "project.override": Rule("editor", owner=True, member="editor"),
    "project.promote": Rule("editor", owner=True, member="editor"),
    "project.link": Rule("editor", owner=True, member="editor"),
    "project.run": Rule("editor", member="editor"),
    "project.try": Rule("editor", member="editor"),
    "project.fetch": Rule("viewer", member="viewer"),
    "input.list": Rule("viewer"),
    "input.create": Rule("editor"),
    "input.read": Rule("viewer", member="viewer"),
    "input.use": Rule("editor", member="editor"),
    "input.update": Rule("editor", shared=True, member="designer"),
    "input.delete": Rule("editor", shared=True, member="editor"),
    "input.restore": Rule("editor", shared=True, member="designer"),
    "member.read": Rule("viewer", member="viewer"),
    "member.manage": Rule("editor", owner=True, member="owner"),
    "reading.read": Rule("viewer", in_projects=False),
    "reading.write": Rule("editor", in_projects=False),
    "algorithm.read": Rule("viewer"),
    "run.list": Rule("viewer"),
    "run.read": Rule("viewer", member="viewer"),
    "run.stop": Rule("editor", owner=True, member="editor"),
    "run.redrive": Rule("editor", owner=True, member="editor"),
    "run.read_pages": Rule("editor", member="editor"),
    "asset.read": Rule("viewer", in_projects=False),
    "asset.write": Rule("editor", in_projects=False),
    "alarm.read": Rule("viewer", in_projects=False),
    "alarm.acknowledge": Rule("editor", in_projects=False),
    "audit.read": Rule("admin"),
    "subscription.list": Rule("editor"),
    "subscription.create": Rule("editor"),
    "subscription.manage": Rule("editor", owner=True, private=True),
}


@dataclass(frozen=True)
class Resource:
    """The facts about a resource that the policy needs.

    Args:
        owner: the principal that created it; null for a run whose definition was deleted.
        projects: the projects through which it is visible.
        starter: of a run, the principal that started it, who may cancel and redrive it.
        roles: as what it is shared with the principal or its groups.
        reachable: whether the principal sees a project that uses it.
    """

    owner: str | None
    projects: frozenset[str] = frozenset()
    starter: str | None = None
    roles: frozenset[MemberRole] = frozenset()
    reachable: bool = False


def decide(principal: Principal, action: str, resource: Resource | None = None) -> Decision:
    """Decide whether a principal may do an action.

    Args:
        action: a name in `ACTIONS`.
        resource: null for an action on no single resource, such as a list.

    Returns:
        `allowed`, or why not: `role_too_low` (403), `member_role_too_low` (403) for a resource that is shared as less,
        `outside_projects` (403) for a key that is limited to projects, `used_elsewhere` (403) for such a key if other
        projects use the resource, `not_owner` (403), or `hidden` (404) for a resource that the principal must not know
        of.
    """
    rule = ACTIONS[action]
    too_low = _RANK[principal.role] < _RANK[rule.role]
    # A key never may more than its own role says. What is shared with a person, is shared as what it says.
    if too_low and not (principal.is_person and rule.member is not None):
        return "role_too_low"
    if not rule.in_projects and principal.projects is not None:
        return "outside_projects"
    if resource is None or principal.role == "admin":
        return "allowed"
    if not _is_visible(principal, resource):
        return "hidden"
    if any(_suffices(role, rule) for role in resource.roles):
        return "allowed"
    if rule.shared and principal.projects is not None and not resource.projects.issubset(principal.projects):
        return "used_elsewhere"
    if principal.id in (resource.owner, resource.starter):
        return "role_too_low" if too_low else "allowed"
    if rule.private:
        return "hidden"
    if principal.is_person and rule.member not in (None, "viewer"):
        return "member_role_too_low"
    return "not_owner" if rule.owner else "allowed"


def _suffices(role: MemberRole, rule: Rule) -> bool:
    return rule.member is not None and _MEMBER_RANK[role] >= _MEMBER_RANK[rule.member]


def _is_visible(principal: Principal, resource: Resource) -> bool:
    if resource.owner is None:
        return False  # only admins see the runs of a deleted definition
    if principal.sees_everything or principal.id == resource.owner or resource.roles or resource.reachable:
        return True
    return not resource.projects.isdisjoint(principal.projects or ())


def require_role(principal: Principal, action: str) -> None:
    """Refuse a principal that may not do an action, whatever the resource.

    Raises:
        Forbidden: the detail names the role that is needed, or says that the key is limited to projects.
    """
    decision = decide(principal, action)
    if decision == "role_too_low":
        raise Forbidden(f"This needs the role {ACTIONS[action].role}; yours is {principal.role}.")
    if decision == "outside_projects":
        raise Forbidden("Your key is limited to projects, and this belongs to none; use a key for all projects.")


def require(principal: Principal, action: str, resource: Resource, missing: NotFound) -> None:
    """Refuse a principal that may not do an action on a resource.

    Args:
        resource: the facts about it.
        missing: the error for a resource that does not exist; it is raised for a hidden one too, so
            that the two cannot be told apart.

    Raises:
        NotFound: the principal must not know of the resource.
        Forbidden: the role is too low, or the resource belongs to somebody else.
    """
    require_role(principal, action)
    decision = decide(principal, action, resource)
    # A request for a resource that does not exist and one for a hidden resource must be indistinguishable.
    if decision == "hidden":
        raise missing
    if decision in ("role_too_low", "member_role_too_low"):
        rule = ACTIONS[action]
        held = max(resource.roles, key=_MEMBER_RANK.__getitem__, default="viewer")
        raise Forbidden(f"This needs the role {rule.member or rule.role} of this resource; it is shared as {held}.")
    if decision == "not_owner":
        raise Forbidden("Only the owner of this resource or an admin may do this.")
    if decision == "used_elsewhere":
        raise Forbidden(
            "Your key is limited to projects, and other projects use this, too; use a key for all projects."
        )
