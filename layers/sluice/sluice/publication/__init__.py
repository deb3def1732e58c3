"""The followers of events, such as published versions, and the delivery of events to them."""
