"""The lake: immutable objects in S3, named by their content or by the run that wrote them."""
