"""The command line of `netkit connect`, where nothing is connected."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase, TestCase

from tests.tools.commanded import called, spawned


class CommandTests(SynchronousTestCase):
    def test_slips(self) -> None:
        """What is wrong with the line is told in one, with what would be right."""
        empty = Path(self.mktemp())
        empty.touch()
        for line, why in (
            ("a.example", "names no port; as in a.example 80"),
            ("a.example 99999", '"99999" is not a port; 1 to 65535'),
            ("a 1 2", "too much; HOST PORT, or an endpoint such as tls:HOST:PORT"),
            ("http://a.example/", "is a URL"),
            ("--keep a 1", "--keep is for --listen; add it"),
            ("--cert x a 1", "--cert is for --listen; add it"),
            ("--insecure a 1", "--insecure is for TLS; add --tls"),
            ("--servername b tcp:a:1", "--servername is for TLS; add --tls"),
            (f"--tls --cacert {empty} a 1", "holds no certificate"),
            ("--listen tls:localhost:5", "needs a certificate; add --cert PEM"),
            ("--listen --insecure 5", "is for a client; leave out --listen"),
            ("--listen x", "is not a port; 0 to 65535"),
            ("-q soon a 1", "is not a valid float"),
        ):
            with self.subTest(line):
                ran = called("connect", *line.split())
                self.assertEqual((ran.status, ran.out, ran.errors.count("\n")), (2, "", 1))
                self.assertIn(why, ran.errors)


class NoConnectionTests(TestCase):
    async def test_one_line(self) -> None:
        """What turns out to be no endpoint, or not to be listened on, is one line as well."""
        for line, why in (
            ("localhost:80", '"localhost:80" is no endpoint: unknown endpoint type'),
            ("--listen 192.0.2.1 5", "port 5: cannot assign requested address"),
            ("--listen --cert none.pem 0", "none.pem"),
            ("unix:none.sock", "unix:none.sock: no such file or directory"),
        ):
            ran = await spawned("connect", *line.split())
            self.assertEqual((ran.status, ran.out, ran.errors.count("\n")), (2, "", 1))
            self.assertIn(why, ran.errors.replace("Unknown", "unknown"))
