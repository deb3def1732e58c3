"""Access control: principals, API keys, tokens, secrets, signed links, and the policy."""
