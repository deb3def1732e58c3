"""What starts and repeats work: Step Functions executions and EventBridge Scheduler schedules."""
