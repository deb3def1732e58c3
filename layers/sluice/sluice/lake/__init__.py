"""The lake: immutable objects in S3, named by what they hold or by the run that wrote them."""
