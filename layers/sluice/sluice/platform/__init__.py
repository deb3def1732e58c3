"""AWS services that are neither storage nor catalog: Step Functions, EventBridge Scheduler, Glue."""
