"""Who comes in, and what they may do there."""

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactor
from twisted.logger import Logger, LogPublisher
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.clients import ClientName
from netkit.passwords import Cost, hashed
from netkit.services.kind import World
from netkit.services.pubsub.door import Door
from netkit.services.pubsub.nats.greeting import Connect
from netkit.services.pubsub.permissions import Permissions
from netkit.services.pubsub.settings import PermissionsTable, RulesTable, Settings

HASH = str(hashed("secret", Cost(ln=9)))
_PEER = IPv4Address("TCP", "192.0.2.1", 1)
_NARROW = PermissionsTable(publish=RulesTable(allow=("a.>",), deny=("a.b",)))


class DoorTests(SynchronousTestCase):
    def door(self, settings: Settings) -> Door:
        """Return the door of a service, which looks into passwords at once."""
        world = World(Clock(), MemoryReactor(), Logger(observer=LogPublisher()))
        return Door(settings, world, lambda work: succeed(work()))

    def admit(
        self, door: Door, greeting: Connect, shown: ClientName | None = None
    ) -> Permissions | None:
        """Return what comes of a greeting."""
        answer = door.admit(greeting, _PEER, shown)
        return self.successResultOf(answer) if isinstance(answer, Deferred) else answer

    def test_open(self) -> None:
        """Without users nobody has to log in, and all may do what the permissions of * say."""
        self.assertFalse(self.door(Settings()).locked)
        self.assertTrue(self.door(Settings()).permissions().publish.permit(b"x"))
        door = self.door(Settings(permissions={"*": _NARROW}))
        self.assertFalse(door.locked)
        found = [door.permissions().publish.permit(subject) for subject in (b"a.x", b"a.b", b"x")]
        self.assertEqual(found, [True, False, False])

    def test_password(self) -> None:
        """Who has the right password comes in, with permissions of its own."""
        door = self.door(Settings(users={"ann": HASH, "bob": HASH}, permissions={"ann": _NARROW}))
        self.assertTrue(door.locked)
        ann = self.admit(door, Connect(user="ann", password="secret"))
        bob = self.admit(door, Connect(user="bob", password="secret"))
        assert ann and bob
        self.assertEqual((ann.publish.permit(b"x"), bob.publish.permit(b"x")), (False, True))
        for greeting in (
            Connect(),
            Connect(user="ann"),
            Connect(user="ann", password="wrong"),
            Connect(user="eve", password="secret"),
            Connect(token="secret"),
        ):
            with self.subTest(greeting.user):
                self.assertIsNone(self.admit(door, greeting))

    def test_token(self) -> None:
        """Who has the token comes in; it is nobody's password."""
        door = self.door(Settings(token=HASH))
        self.assertTrue(door.locked)
        self.assertIsNotNone(self.admit(door, Connect(token="secret")))
        self.assertIsNone(self.admit(door, Connect(token="wrong")))
        self.assertIsNone(self.admit(door, Connect(user="token", password="secret")))

    def test_certificate(self) -> None:
        """Who shows a certificate with one of the names comes in, by whichever sort of name."""
        door = self.door(Settings(certificate_users=("ann", "a.example", "ann@a.example")))
        for shown in (
            ClientName("ann"),
            ClientName("x", dns_names=("a.example",)),
            ClientName(emails=("ann@a.example",)),
        ):
            with self.subTest(shown):
                self.assertIsNotNone(self.admit(door, Connect(), shown))
        self.assertIsNone(self.admit(door, Connect(), ClientName("eve")))
        self.assertIsNone(self.admit(door, Connect(user="ann")))

    def test_too_many_tries(self) -> None:
        """One address does not try passwords without end: it is refused without a look."""
        door = self.door(Settings(users={"ann": HASH}))
        for number in range(40):
            self.assertIsNone(self.admit(door, Connect(user="ann", password=f"{number}")))
        self.assertIsNone(self.admit(door, Connect(user="ann", password="secret")))
