"""Sites, equipment and sensors, operations on equipment, and their import from CSV."""
