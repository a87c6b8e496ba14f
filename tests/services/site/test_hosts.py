"""Names and the hosts that they lead to."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.site.hosts import BadAuthorityError, Hosts, canonical, host_of, pattern

RUBBISH = (
    b"a b",
    b"a@b",
    b"user:word@example.org",
    b"example.org:port",
    b"example.org:80:80",
    b"example.org/",
    b"*.example.org",
    b"example..org",
    b"example.org..",
    b".",
    b":80",
    b"[",
    b"[]",
    b"[::1",
    b"::1",
    b"[::1]x",
    b"[fe80::1%25eth0]",
    b"[127.0.0.1]",
    b"exa%6dple.org",
    b"b\xc3\xbccher.example",
    b"example.org\x00",
    b"example.org\r\nx",
    b"x" * 5000,
    b"a." * 2000,
)


class Names(SynchronousTestCase):
    def test_host_of(self) -> None:
        """Port, case and the root's dot make no difference; an address has one form."""
        for authority, name in (
            (b"example.org", "example.org"),
            (b"EXAMPLE.Org.:8080", "example.org"),
            (b"example.org:", "example.org"),
            (b"xn--bcher-kva.example", "xn--bcher-kva.example"),
            (b"127.0.0.1:80", "127.0.0.1"),
            (b"0x7f.1", "127.0.0.1"),
            (b"[::1]:443", "[::1]"),
            (b"[2001:DB8:0:0::1]", "[2001:db8::1]"),
        ):
            self.assertEqual(host_of(authority), name)

    def test_rubbish(self) -> None:
        """What is no host is refused."""
        for authority in RUBBISH:
            self.assertRaises(BadAuthorityError, host_of, authority)

    def test_patterns(self) -> None:
        """A name is written in any script, with a wildcard for its first labels or none."""
        for written, right in (
            ("Example.ORG.", "example.org"),
            ("*.Example.org", "*.example.org"),
            ("b\u00fccher.example", "xn--bcher-kva.example"),
            ("*.b\u00fccher.example", "*.xn--bcher-kva.example"),
            ("192.0.2.1", "192.0.2.1"),
            ("::1", "[::1]"),
            ("[::1]", "[::1]"),
        ):
            self.assertEqual(pattern(written), right)

    def test_bad_patterns(self) -> None:
        """A wildcard elsewhere, of an address, a port, a URL and rubbish are refused."""
        for written in (
            "*",
            "*.",
            "",
            "a.*.org",
            "*a.org",
            "a*.org",
            "*.*.org",
            "*.192.0.2.1",
            "*.[::1]",
            "example.org:80",
            "https://example.org",
            "example.org/",
            "a b",
            "fe80::1%eth0",
        ):
            self.assertIn("is not right", str(self.assertRaises(ValueError, pattern, written)))

    @settings(deadline=None, max_examples=300)
    @given(st.binary(max_size=40) | st.text("ab.:[]*@-1x%", max_size=20).map(str.encode))
    def test_any_bytes(self, authority: bytes) -> None:
        """Any bytes are a host in canonical form, which stays as it is, or refused."""
        try:
            name = host_of(authority)
        except BadAuthorityError:
            return
        self.assertEqual(canonical(name), name)
        self.assertEqual(host_of(name.encode()), name)
        self.assertFalse(set(name) & set(' /@*%?#\\"<>'))


class Finding(SynchronousTestCase):
    hosts = Hosts(
        (
            (("example.org", "*.example.org"), "one"),
            (("www.example.org", "*.deep.example.org", "[::1]"), "two"),
        ),
        "default",
    )

    def test_precedence(self) -> None:
        """Whole names win over wildcards, long ones over short ones, and all over the default."""
        for authority, found in (
            (b"example.org", "one"),
            (b"EXAMPLE.ORG.:80", "one"),
            (b"a.example.org", "one"),
            (b"a.b.example.org", "one"),
            (b"www.example.org", "two"),
            (b"a.www.example.org", "one"),
            (b"deep.example.org", "one"),
            (b"a.b.deep.example.org", "two"),
            (b"[0:0::1]:80", "two"),
            (b"badexample.org", "default"),
            (b"example.org.evil", "default"),
            (b"org", "default"),
            (b"127.0.0.1", "default"),
        ):
            self.assertEqual(self.hosts.of_authority(authority), found)

    def test_server_names(self) -> None:
        """A name by SNI is found alike, and rubbish there is the default's."""
        for name, found in (
            ("a.EXAMPLE.org", "one"),
            ("www.example.org", "two"),
            ("", "default"),
            ("*.example.org", "default"),
            ("\udcff", "default"),
            ("a b.example.org", "default"),
        ):
            self.assertEqual(self.hosts.of_server_name(name), found)

    def test_a_literal_wildcard(self) -> None:
        """A request cannot name the wildcard itself."""
        self.assertRaises(BadAuthorityError, self.hosts.of_authority, b"*.example.org")

    def test_endless_names(self) -> None:
        """However many names are asked for, a bounded number is remembered."""
        for number in range(3000):
            self.hosts.of_authority(b"h%d.example.org" % number)
        self.assertLessEqual(self.hosts.of_authority.cache_info().currsize, 1024)
