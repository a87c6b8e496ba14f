"""The table `fabric` as operators write it."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netkit.document.typed import Document
from netkit.services.pubsub import KIND
from netkit.services.pubsub.fabric.settings import Fabric, WhenCutOff, complaints
from netkit.services.pubsub.settings import Settings


def read(text: str) -> tuple[Settings | None, list[str]]:
    """Return the settings in a table, and what is wrong with them."""
    document = Document("t", text)
    found = document.read(Settings, document.tables, ())
    return found, [problem.text for problem in document.problems]


class SettingsTests(SynchronousTestCase):
    def test_defaults(self) -> None:
        """Without servers there is no fabric; with them the rest is as documented."""
        found, _ = read("")
        assert found is not None
        self.assertEqual(found.fabric.servers, ())
        found, _ = read('fabric = { servers = "nats://h" }')
        assert found is not None
        self.assertEqual(
            found.fabric,
            Fabric(
                servers=("nats://h",),
                discover=True,
                when_cut_off=WhenCutOff.BUFFER,
                buffer_bytes=8_388_608,
                message_bytes=8_388_608,
                connect_timeout=5.0,
                ping_interval=20.0,
                pings_out=2,
                reconnect_wait=1.0,
                reconnect_wait_most=30.0,
            ),
        )

    def test_no_secrets(self) -> None:
        """Passwords are in no repr and in no complaint."""
        text = 'fabric = { servers = ["nats://u:hush@h"], password = "hush", token = "hush" }'
        found, _ = read(text)
        self.assertNotIn("hush", repr(found))
        _, problems = read(text.replace("@h", "@h:x"))
        self.assertEqual(
            problems, ['a server is not written as it should be; as in "nats://10.0.0.2:4222"']
        )

    def test_complaints(self) -> None:
        """What does not go together is a problem, and so is a file of authorities that is none."""
        for fabric, key in (
            (Fabric(password="x"), "user"),
            (Fabric(user="u", token="x"), "token"),
            (Fabric(ca=Path(__file__), verify=False), "ca"),
            (Fabric(ca=Path(__file__)), "ca"),
            (Fabric(reconnect_wait=60.0), "reconnect_wait"),
        ):
            found = [*KIND.complaints(Settings(fabric=fabric))]
            self.assertIn(("fabric", key), [one.path for one in found])
        self.assertEqual(list(complaints(Fabric(user="u", password="x"))), [])
