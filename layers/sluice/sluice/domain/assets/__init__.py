"""Sites, their equipment, its sensors, and the operations that are done on it: documents and rules."""
