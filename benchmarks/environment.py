"""The peers that are Python packages live in an environment of their own, made when first needed.

Netkit's own environment has none of them: what is measured is what a user installs.
"""

import shutil
import sys
from pathlib import Path

from benchmarks.machine import HERE
from benchmarks.processes import FailedError, output_of

REQUIREMENTS = HERE / "requirements.txt"


def make_environment(folder: Path) -> str | None:
    """Make the environment in `folder` what REQUIREMENTS says; return why that did not work."""
    stamp = folder / REQUIREMENTS.name
    if stamp.exists() and stamp.read_bytes() == REQUIREMENTS.read_bytes():
        return None
    try:
        output_of((sys.executable, "-m", "venv", "--clear", str(folder)))
        python = str(folder / "bin" / "python")
        output_of((python, "-m", "pip", "install", "--quiet", "-r", str(REQUIREMENTS)))
    except FailedError as error:
        shutil.rmtree(folder, ignore_errors=True)
        return str(error)
    shutil.copy(REQUIREMENTS, stamp)
    return None
