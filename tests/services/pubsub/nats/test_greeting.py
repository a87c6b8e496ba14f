"""INFO and CONNECT as values."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.nats.greeting import Connect, GreetingError, Info, read, written

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=10,
)
_KEYS = st.sampled_from(
    ["verbose", "echo", "user", "pass", "protocol", "port", "connect_urls", "x"]
)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)


class ReadTests(SynchronousTestCase):
    def test_connect(self) -> None:
        """Every key becomes its field; others are passed over."""
        text = (
            b'{"verbose":false,"pedantic":false,"echo":false,"headers":true,"no_responders":true,'
            b'"protocol":1,"name":"n","lang":"python3","version":"2.16","user":"u","pass":"p",'
            b'"auth_token":"t","tls_required":true,"jwt":"x","sig":{"a":[1]}}'
        )
        self.assertEqual(
            read(Connect, text),
            Connect(
                verbose=False, pedantic=False, echo=False, headers=True, no_responders=True,
                protocol=1, name="n", lang="python3", version="2.16", user="u", password="p",
                token="t", tls_required=True,
            ),
        )  # fmt: skip

    def test_defaults(self) -> None:
        """A client that says nothing is verbose, pedantic and hears itself; null says nothing."""
        self.assertEqual(read(Connect, b"{}"), Connect(verbose=True, pedantic=True, echo=True))
        self.assertEqual(read(Connect, b'{"verbose":null,"user":null}'), Connect())

    def test_info(self) -> None:
        """What a server says is read by the same rules."""
        text = b'{"server_id":"S","version":"2.15.1","port":4222,"connect_urls":["a:1","b:2"]}'
        self.assertEqual(
            read(Info, text),
            Info(server_id="S", version="2.15.1", port=4222, connect_urls=("a:1", "b:2")),
        )

    def test_wrong(self) -> None:
        """What is no object, or has a wrong type, is refused."""
        for text in (
            b"", b"x", b"[]", b"1", b'"x"', b"{", b'{"verbose":1}', b'{"verbose":"true"}',
            b'{"protocol":true}', b'{"protocol":1.0}', b'{"name":5}', b'{"user":["x"]}',
            b'{"user":"\\ud800"}', b'{"name":"\xff"}', b"[" * 4000, b'{"a":' * 2000,
            b'{"protocol":' + b"9" * 5000 + b"}", b"\xff\xfe{}",
        ):  # fmt: skip
            with self.subTest(text[:20]), self.assertRaises(GreetingError):
                read(Connect, text)
        with self.assertRaises(GreetingError):
            read(Info, b'{"connect_urls":[1]}')

    def test_secrets(self) -> None:
        """What proves who somebody is is not shown."""
        shown = repr(Connect(user="me", password="hidden", token="hidden"))
        self.assertIn("me", shown)
        self.assertNotIn("hidden", shown)

    @settings(deadline=None, max_examples=200)
    @given(st.dictionaries(_KEYS, _JSON).map(json.dumps).map(str.encode) | st.binary())
    def test_whatever(self, text: bytes) -> None:
        """Whatever is said becomes a greeting or is refused, and nothing else is raised."""
        for greeting in (Connect, Info):
            try:
                value: Connect | Info = read(greeting, text)
            except GreetingError:
                continue
            self.assertEqual(read(greeting, written(value)), value)


class WrittenTests(SynchronousTestCase):
    def test_connect(self) -> None:
        """A client says what it does not want as well, and leaves out what is empty."""
        self.assertEqual(
            json.loads(written(Connect(verbose=False, user="u", password="p"))),
            {
                "verbose": False, "pedantic": True, "echo": True, "headers": False,
                "no_responders": False, "tls_required": False, "user": "u", "pass": "p",
            },
        )  # fmt: skip

    def test_info(self) -> None:
        """A server says only what is so, in one line."""
        text = written(Info(server_id="S\n", version="2.0.0", port=4222, headers=True, client_id=7))
        self.assertNotIn(b"\n", text)
        self.assertEqual(
            json.loads(text),
            {
                "server_id": "S\n", "version": "2.0.0", "port": 4222, "proto": 1, "headers": True,
                "max_payload": 1048576, "client_id": 7,
            },
        )  # fmt: skip

    @settings(deadline=None, max_examples=100)
    @given(
        st.builds(Connect, verbose=st.booleans(), user=_TEXT, password=_TEXT, token=_TEXT)
        | st.builds(
            Info, server_id=_TEXT, port=st.integers(1), connect_urls=st.lists(_TEXT).map(tuple)
        )
    )
    def test_round(self, greeting: Connect | Info) -> None:
        """What is written is read as it was."""
        self.assertEqual(read(type(greeting), written(greeting)), greeting)
