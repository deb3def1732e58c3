"""Values that several examples share."""

from __future__ import annotations

RUN = "01JB5ZK3V6Q8Y0M2N4P6R8T0W2"
TIME = "2026-01-31T12:00:00.000Z"
LATER = "2026-01-31T12:00:04.512Z"
BY = "key/3f9c2k7d1m5x"
HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
FINGERPRINT = f"sha256:{HASH}"
METADATA = {"etag": "3b1f9c", "created_at": TIME, "updated_at": TIME, "created_by": BY}
