"""Subscriptions: events that are sent to webhooks, signed and at least once."""
