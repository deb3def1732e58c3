"""What is known about everything: DynamoDB tables, one module for each access pattern."""
