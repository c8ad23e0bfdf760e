"""Which policy rules: the version that is in force in the graph; at the first start that is the configured one."""

from graph.connection import Connection
from graph.policies import PolicyHeld, held_in
from identity.messages import micros
from selfsame.clock import now
from selfsame.settings import Settings, configured_policy, policy_file


async def policy_held(settings: Settings, connection: Connection) -> PolicyHeld:
    """A holder of the policy in force; where the graph holds none yet, the configured one becomes version 1.

    Raises SettingsInvalidError and PolicyInvalidError for the configured one, even where another is in force.
    """
    return await held_in(connection.reader, connection.writer, configured_policy(settings), micros(now()))


def unlike_configured(settings: Settings, held: PolicyHeld) -> str | None:
    """A sentence that says so where the configured file is not the policy in force, and what to do; else None."""
    if configured_policy(settings).hash == held.policy.hash:
        return None
    return (
        f"{policy_file(settings)} differs from version {held.number} of the policy, which is in force: "
        f"`selfsame policy apply {settings.policy}` puts it in force"
    )
