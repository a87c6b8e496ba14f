"""The peers: other people's servers, each set up to be as good as it can be at its work.

One declaration a server. All of them use one process and one core, keep no access log unless their
names say so, and listen on loopback; netkit is here too, started as its users start it. Those that
serve HTTP stand in `webpeers`.
"""

from collections.abc import Mapping
from pathlib import Path

from benchmarks.programs import Compiled, Extended, FromEnvironment, Installed, ThisPython, Twistd
from benchmarks.work import Server

NGINX = Installed("nginx", "nginx")
_NGINX_STREAM = Extended(
    NGINX, Path("/usr/lib/nginx/modules/ngx_stream_module.so"), "libnginx-mod-stream"
)
_HAPROXY = Installed("haproxy", "haproxy")
_SOCAT = Installed("socat", "socat", version=("-V",))
_REDIS = Installed("redis-server", "redis-server")
_SQUID = Installed("squid", "squid")
_NATS = FromEnvironment("nats-server", "nats-server", version=("-v",))
_UVLOOP = FromEnvironment(
    "uvloop", "python", version=("-c", "import uvloop; print(uvloop.__version__)")
)
TWISTED = ThisPython("Twisted", version=("-m", "twisted", "--version"))
PEM = "localhost.pem"


def netkit(config: str, *, files: Mapping[str, str] | None = None) -> Server:
    """Return netkit with the configuration `config`, in which $port is the port that is loaded.

    `files` are those the configuration names, by their names; localhost.pem is always there.
    """
    return Server(
        name="netkit",
        program=Twistd(),
        arguments=("netkit", "--config", "$folder/netkit.toml"),
        files={**(files or {}), "netkit.toml": config},
        pem=PEM,
    )


def _twisted_echo(name: str, endpoint: str, reactor: str = "epoll") -> Server:
    return Server(
        name=name,
        program=TWISTED,
        arguments=("$servers/twisted_echo.py", reactor, endpoint),
        pem=PEM,
    )


EPOLL_ECHO = Server(
    name="C epoll",
    program=Compiled("epoll_echo"),
    arguments=("--port", "$port"),
)
UVLOOP_ECHO = Server(
    name="asyncio + uvloop",
    program=_UVLOOP,
    arguments=("$servers/uvloop_echo.py", "$port"),
)
_LOOPBACK = "$port:interface=127.0.0.1:backlog=4096"
_SSL = f"ssl:{_LOOPBACK}:privateKey={PEM}:certKey={PEM}"
TWISTED_ECHO = _twisted_echo("stock Twisted", f"tcp:{_LOOPBACK}")
TWISTED_TLS_ECHO = _twisted_echo("stock Twisted", _SSL)
MEMORY_BIO_ECHO = _twisted_echo("memory BIOs", _SSL, "netkit")
BARE_ECHO = Server(
    name="without the gate",
    program=TWISTED,
    arguments=("$servers/bare_echo.py", "$port"),
)
SOCAT_ECHO = Server(
    name="socat",
    program=_SOCAT,
    arguments=(
        "-b65536",
        "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork,nodelay,backlog=1024",
        "PIPE",
    ),
)
REDIS = Server(
    name="Redis",
    program=_REDIS,
    arguments=(
        *("--port", "$port", "--bind", "127.0.0.1", "--save", "", "--maxclients", "20000"),
        *("--client-output-buffer-limit", "pubsub 0 0 0"),
    ),
)
NATS = Server(
    name="NATS",
    program=_NATS,
    arguments=("--addr", "127.0.0.1", "--port", "$port"),
)


NGINX_TLS = Server(
    name="nginx",
    program=_NGINX_STREAM,
    arguments=("-p", "$folder", "-c", "$folder/nginx.conf", "-e", "stderr"),
    files={
        "nginx.conf": f"""\
load_module {_NGINX_STREAM.file};
daemon off;
worker_processes 1;
pid $folder/nginx.pid;
events {{ worker_connections 10000; }}
stream {{
    tcp_nodelay on;
    server {{
        listen 127.0.0.1:$port ssl backlog=4096;
        ssl_protocols TLSv1.3;
        ssl_certificate $folder/{PEM};
        ssl_certificate_key $folder/{PEM};
        proxy_pass 127.0.0.1:$origin;
    }}
}}
""",
    },
    pem=PEM,
)


def _haproxy(mode: str, bind: str = "") -> Server:
    return Server(
        name="HAProxy",
        program=_HAPROXY,
        arguments=("-db", "-q", "-f", "$folder/haproxy.cfg"),
        files={
            "haproxy.cfg": f"""\
global
    maxconn 5000
    nbthread 1
defaults
    mode {mode}
    timeout connect 5s
    timeout client 60s
    timeout server 60s
listen bench
    bind 127.0.0.1:$port {bind}
    server origin 127.0.0.1:$origin
""",
        },
        pem=PEM,
    )


HAPROXY_TUNNEL = _haproxy("tcp")
HAPROXY_TLS = _haproxy("tcp", f"ssl crt $folder/{PEM}")
HAPROXY_PROXY = _haproxy("http")
SQUID = Server(
    name="squid",
    program=_SQUID,
    arguments=("-N", "-f", "$folder/squid.conf"),
    files={
        "squid.conf": """\
http_port 127.0.0.1:$port
http_access allow all
cache deny all
access_log none
cache_log stdio:/dev/stderr
pid_filename none
netdb_filename none
pinger_enable off
shutdown_lifetime 0 seconds
visible_hostname localhost
""",
    },
)
