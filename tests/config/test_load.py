"""A configuration file becomes a plan, or every mistake in it is told in one run."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from netkit.config.load import load
from netkit.config.schema import Account, Level, LogFormat
from netkit.errors import ConfigError
from tests.config.test_plan import PlanTestCase
from tests.kinds import KINDS, PlainOptions, PlainSettings, ViewSettings


class LoadTests(PlanTestCase):
    maxDiff = None

    def test_whole(self) -> None:
        """Every table arrives in the plan with its values and defaults."""
        plan, problems = self.load("""\
            [daemon]
            user = 1000
            group = "nogroup"
            [log]
            format = "json"
            level = "warn"
            [service.mine]
            kind = "plain"
            listen = { endpoint = "tcp:1", colour = "red" }
            size = 3
            [service.pages]
            listen = ["tcp:2", "unix:web.sock"]
            mount = [{ path = "/", kind = "view", depth = 2, service = "mine" }]
            """)
        self.assertEqual(problems, [])
        self.assertEqual(
            (plan.daemon.user, plan.daemon.group), (Account("1000"), Account("nogroup"))
        )
        self.assertEqual((plan.log.format, plan.log.level), (LogFormat.JSON, Level.WARN))
        mine, pages = plan.services
        self.assertEqual(mine.settings, PlainSettings(size=3))
        self.assertEqual(mine.listeners[0].options, PlainOptions("red"))
        self.assertEqual(pages.settings.mount[0].settings, ViewSettings(2))
        self.assertRegex(str(pages.listeners[1]), r"^unix:/.*/web\.sock$")

    def test_all_at_once(self) -> None:
        """Mistakes in every table are told in one run, each with its line, table and key."""
        _, problems = self.load("""\
            [daemon]
            user = -1
            group = true
            [log]
            format = "xml"
            [limits]
            connections = 0
            [deamon]
            [tls.main]
            [service.plian]
            listen = "tcp:1"
            [service.a]
            kind = "plian"
            [service.plain]
            listen = [{ endpoint = "tpc:80" }, 5, { tls = 1 }, "tcp:1", { endpoint = "tcp", x = 1 }]
            size = "3"
            [service.b]
            kind = "plain"
            size = 1
            [service.c]
            kind = "plain"
            listen = []
            spoilt = true
            limits = { idle = 3 }
            [service.d]
            kind = "plain"
            listen = "tcp:99999"
            spoilt = true
            [service.pages]
            listen = "tcp:9"
            [[service.pages.mount]]
            path = "/"
            kind = "veiw"
            [[service.pages.mount]]
            path = "/"
            [[service.pages.mount]]
            kind = "view"
            dpth = 2
            """)
        self.assertEqual(
            sorted(problems, key=lambda line: int(line.split(":")[0])),
            [
                "2: [daemon] user: -1 is not an id; 0 to 4294967294",
                '3: [daemon] group: is not an account; a name as in "netkit", or a number',
                '5: [log] format: "xml" is not known; one of "json", "text"',
                "7: [limits] connections: 0 is out of range; 1 to 10000000",
                '8: [deamon]: is not known; did you mean "daemon"?',
                "9: [tls.main] certificates: is missing",
                '10: [service.plian]: "plian" is no kind of service;'
                ' did you mean "plain"? or add the key kind',
                '13: [service.a] kind: there is no kind of service "plian"; did you mean "plain"?',
                '15: [service.plain] listen[0].endpoint: "tpc:80": there is no endpoint type "tpc";'
                ' did you mean "tcp"?',
                (
                    "15: [service.plain] listen[1]: is no listener;"
                    ' as in "tcp:80" or { endpoint = "tcp:80" }'
                ),
                "15: [service.plain] listen[2].endpoint: is missing",
                '15: [service.plain] listen[2].tls: 1 is not right; a text in quotes, as in "text"',
                (
                    "15: [service.plain] listen[4].x: is not known here;"
                    ' one of "colour", "endpoint", "limits", "proxy_protocol", "tls"'
                ),
                (
                    '15: [service.plain] listen[4].endpoint: "tcp": no port is given;'
                    ' write it as "tcp:8080"'
                ),
                '16: [service.plain] size: "3" is not right; a whole number',
                "17: [service.b] listen: is missing",
                '22: [service.c] listen: is empty; as in "tcp:8080"',
                '24: [service.c] limits.idle: is not known here; did you mean "idle_timeout"?',
                '27: [service.d] listen: "tcp:99999": "99999" is not a port; 0 to 65535',
                "28: [service.d] spoilt: is spoilt; be not",
                '33: [[service.pages.mount]] kind: there is no mount "veiw"; did you mean "view"?',
                '34: [[service.pages.mount]]: names no kind; one of "view"',
                "36: [[service.pages.mount]] path: is missing",
                '38: [[service.pages.mount]] dpth: is not known here; did you mean "depth"?',
            ],
        )

    def test_no_service(self) -> None:
        """A file that serves nothing is a mistake, told for the file as a whole."""
        _, problems = self.load("")
        self.assertIn("has no service; write at least one table [service.NAME]", problems[0])

    def test_missing(self) -> None:
        """A file that is not there is one line."""
        error = self.assertRaises(ConfigError, load, "/nowhere/netkit.toml", KINDS)
        self.assertEqual(
            str(error), "/nowhere/netkit.toml: cannot be read: no such file or directory"
        )


LEAVES = st.one_of(
    st.integers(-1, 9),
    st.booleans(),
    st.sampled_from(["plain", "pages", "view", "/", "main", "tcp:1", "tcp:2", "tcp", "\x1b", ""]),
)
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["kind", "listen", "mount", "path", "endpoint", "tls", "limits", "size"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)
TABLES = st.dictionaries(
    st.sampled_from(["daemon", "log", "limits", "tls", "service", "x"]),
    TREES | st.dictionaries(st.sampled_from(["plain", "pages", "main"]), TREES, max_size=3),
    max_size=4,
)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, str):
        return '"' + value.replace("\x1b", "\\u001b") + '"'
    return str(value).lower()


class FuzzTests(PlanTestCase):
    @settings(deadline=None, max_examples=150)
    @given(TABLES)
    def test_any_file(self, tables: dict[str, Any]) -> None:
        """Whatever a file holds, it gives a plan and problems that can be printed."""
        text = "\n".join(f"{key} = {_toml(value)}" for key, value in tables.items())
        _, problems = self.load(text)
        for problem in problems:
            self.assertTrue(problem.isprintable(), problem)
