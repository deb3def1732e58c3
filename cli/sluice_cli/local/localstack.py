"""LocalStack in a container: an alternative emulator for the same template."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import httpx

from sluice_cli.errors import StepFailed
from sluice_cli.local.emulator import REGION

# The last image that starts without a token.
FREE_IMAGE = "localstack/localstack:4.14.0"
_START_SECONDS = 180


class LocalStackContainer:
    """LocalStack on one port; its state is lost when it is stopped.

    `LOCALSTACK_IMAGE` names another image; those after 4.14.0 need `LOCALSTACK_AUTH_TOKEN`.
    """

    parameters = ("CreateUserPool=no",)  # Cognito is not part of the free image
    shares_disk = False
    limits = None  # it runs functions in containers, which limit themselves

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._name = f"sluice-localstack-{port}"
        self._image = os.environ.get("LOCALSTACK_IMAGE", FREE_IMAGE)

    def start(self) -> bool:
        """Start LocalStack unless it is running.

        Returns:
            Whether the state was lost, which it is whenever the container is result.

        Raises:
            StepFailed: there is no Docker engine, the image needs a token, or it does not answer.
        """
        if shutil.which("docker") is None or subprocess.run(["docker", "info"], capture_output=True).returncode != 0:
            raise StepFailed(
                "LocalStack needs a Docker engine, and none answers; run the command without EMULATOR to use MiniStack"
            )
        if self._answers():
            return False
        if self._image != FREE_IMAGE and not os.environ.get("LOCALSTACK_AUTH_TOKEN"):
            raise StepFailed(
                f"the image {self._image} needs an account: set LOCALSTACK_AUTH_TOKEN, or use {FREE_IMAGE}, "
                "the last one that needs none"
            )
        result = subprocess.run(self.command(), capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise StepFailed(f"docker run failed: {result.stderr.strip()}")
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if time.monotonic() > deadline:
                raise StepFailed(f"LocalStack does not answer on port {self.port}; see: docker logs {self._name}")
            time.sleep(0.5)
        return True

    def command(self) -> list[str]:
        """The `docker run` command; the socket lets LocalStack start containers for functions."""
        return [
            *("docker", "run", "--detach", "--rm", "--name", self._name),
            *("--publish", f"127.0.0.1:{self.port}:4566"),
            *("--volume", "/var/run/docker.sock:/var/run/docker.sock"),
            *("--env", "LOCALSTACK_AUTH_TOKEN", "--env", f"AWS_DEFAULT_REGION={REGION}"),
            *(
                "--env",
                "GATEWAY_LISTEN=0.0.0.0:4566",
                "--env",
                f"LOCALSTACK_HOST=localhost.localstack.cloud:{self.port}",
            ),
            self._image,
        ]

    def stop(self) -> bool:
        """Stop LocalStack.

        Returns:
            Whether it was running.
        """
        return subprocess.run(["docker", "stop", self._name], capture_output=True, check=False).returncode == 0

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/_localstack/health", timeout=2, trust_env=False).status_code == 200
        except httpx.HTTPError:
            return False
