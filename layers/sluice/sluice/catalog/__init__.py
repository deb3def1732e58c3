"""The catalog: DynamoDB tables, one module for each access pattern."""
