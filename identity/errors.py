"""What the pure rules refuse.

IdentityError
  PolicyInvalidError       a policy text that cannot be used
"""


class IdentityError(Exception):
    """A rule of identity refuses its input. code: stable; retryable: whether asking again can help."""

    code = "identity"
    retryable = False


class PolicyInvalidError(IdentityError):
    """A policy that is no TOML, has unknown or missing keys, or values out of range."""

    code = "policy_invalid"
