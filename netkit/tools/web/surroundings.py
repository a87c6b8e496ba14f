"""What an agent has of the process that it is in."""

import os
import random
import secrets
import time
from collections.abc import Callable, Mapping

from attrs import field, frozen


def _secret() -> str:
    return secrets.token_hex(16)


@frozen
class Surroundings:
    """The environment, the time in seconds since 1970, chance from 0 to 1, and what nobody can guess."""

    environment: Mapping[str, str] = field(factory=lambda: os.environ, repr=False)
    now: Callable[[], float] = time.time
    chance: Callable[[], float] = random.random
    secret: Callable[[], str] = _secret
