"""A configuration as an operator writes it, and what is said of it."""

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

from twisted.trial.unittest import SynchronousTestCase

from netkit.config.load import load
from netkit.config.plan import ServicePlan


def loaded(
    test: SynchronousTestCase, text: str, beside: Mapping[str, str | bytes] | None = None
) -> tuple[dict[str, ServicePlan], list[str]]:
    """Return the plans of the services by name, and the problems by line, without the file's name.

    The files `beside` it stand in the same folder.
    """
    folder = Path(test.mktemp()).absolute()
    folder.mkdir()
    for name, content in (beside or {}).items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    file = folder / "netkit.toml"
    file.write_text(dedent(text))
    plan, document = load(str(file))
    problems = [str(problem).replace(f"{folder}/", "") for problem in sorted(document.problems)]
    plans = {service.name: service for service in plan.services}
    return plans, [problem.removeprefix("netkit.toml:") for problem in problems]
