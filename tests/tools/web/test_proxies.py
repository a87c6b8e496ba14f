"""Which proxy a URL is asked for by."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.web.fetching import FetchError, Proxying
from netkit.tools.web.proxies import is_excepted, proxy_for
from netkit.tools.web.urls import parse

HTTP, HTTPS = parse("http://a.example/"), parse("https://a.example/")


class ProxyTests(SynchronousTestCase):
    def test_variables(self) -> None:
        """The variables count as curl has them."""
        for environment, by_http, by_https in (
            ({}, None, None),
            ({"http_proxy": "p:1"}, "http://p:1/", None),
            ({"HTTP_PROXY": "p:1"}, None, None),
            ({"https_proxy": "http://p:2"}, None, "http://p:2/"),
            ({"HTTPS_PROXY": "https://p:2"}, None, "https://p:2/"),
            ({"all_proxy": "p:3"}, "http://p:3/", "http://p:3/"),
            ({"ALL_PROXY": "p:3", "http_proxy": "p:1"}, "http://p:1/", "http://p:3/"),
            ({"all_proxy": "p:3", "no_proxy": "b.example, example"}, None, None),
        ):
            for url, right in ((HTTP, by_http), (HTTPS, by_https)):
                found = proxy_for(url, Proxying.ENVIRONMENT, environment)
                self.assertEqual(found and str(found), right, (environment, url))

    def test_given(self) -> None:
        """One that is given counts before all of them, and so does none."""
        given = parse("http://given:1")
        self.assertIs(proxy_for(HTTP, given, {"no_proxy": "*"}), given)
        self.assertIsNone(proxy_for(HTTP, Proxying.NONE, {"http_proxy": "p:1"}))

    def test_exceptions(self) -> None:
        """Names, domains, addresses, networks and all may be excepted."""
        for exceptions, host, right in (
            ("*", "a", True),
            ("example.org", "example.org", True),
            ("example.org", "www.example.org", True),
            (".example.org", "www.Example.org".lower(), True),
            ("example.org", "notexample.org", False),
            ("10.0.0.0/8", "10.1.2.3", True),
            ("10.0.0.0/8", "11.1.2.3", False),
            ("[::1],x", "::1", True),
            ("127.0.0.1 localhost", "localhost", True),
            ("junk/8", "10.0.0.1", False),
            ("", "a", False),
        ):
            self.assertEqual(is_excepted(host, exceptions), right, (exceptions, host))

    def test_wrong(self) -> None:
        """A proxy that is set and cannot be used is an error, which shows no password."""
        for text in ("socks5://u:secret@p:1", "http://u:secret@", "http://p:x"):
            with self.assertRaises(FetchError) as caught:
                proxy_for(HTTP, Proxying.ENVIRONMENT, {"http_proxy": text})
            self.assertNotIn("secret", str(caught.exception))
