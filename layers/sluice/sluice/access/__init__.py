"""Who may do what: principals, API keys, tokens, secrets, signed links, and the policy that decides."""
