"""The function `sign_up`: decides who may sign up, and removes sign-ups that were never confirmed."""

from typing import Any

from sluice.access.sign_up import give_first_role, refuse_outsiders, remove_unconfirmed
from sluice.container import container


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer a trigger of the user pool, or `{"sweep": true}` from the schedule.

    Returns:
        The event of the trigger, as Cognito expects; of a sweep `{"removed"}`, the number of accounts.

    Raises:
        Forbidden: the e-mail address may not sign up; Cognito shows the message to who tried.
        Unavailable: Cognito throttled; the confirmation fails, or the next sweep continues.
    """
    services = container()
    if event.get("sweep"):
        return {"removed": remove_unconfirmed(services)}
    match event["triggerSource"]:
        case "PreSignUp_SignUp" | "PreSignUp_ExternalProvider":
            email = event["request"]["userAttributes"].get("email", "")
            refuse_outsiders(email, services.settings.sign_up_domains)
        case "PostConfirmation_ConfirmSignUp":
            give_first_role(services, event["userName"])
    return event
