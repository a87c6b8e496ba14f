"""The peers that serve HTTP, and proxies of it: set up as `peers` are.

nginx sends a small file at its fastest where it reads it and writes it out with the header section
(`sendfile off`), a large one mostly by sendfile; both are measured, each with the best of its other
settings. It finds every file open already.
"""

from benchmarks.content import FILES, FOLDER, HELLO
from benchmarks.peers import NGINX, PEM, TWISTED
from benchmarks.programs import FromEnvironment
from benchmarks.work import Server

_UVICORN = FromEnvironment("uvicorn", "uvicorn", version=("--version",))
_AIOHTTP = FromEnvironment(
    "aiohttp", "python", version=("-c", "import aiohttp; print(aiohttp.__version__)")
)
_SENDFILE = "sendfile on; tcp_nopush on;"
_READ = "sendfile off; output_buffers 2 512k;"
_STATIC = f"location / {{ root $folder/{FOLDER}; }}"
_SECURE = f"""\
ssl_protocols TLSv1.3;
    ssl_certificate $folder/{PEM};
    ssl_certificate_key $folder/{PEM};"""


def nginx(  # noqa: PLR0913 (what differs from one to the next)
    locations: str,
    *,
    name: str = "nginx",
    http: str = "",
    listen: str = "",
    log: str = "off",
    sending: str = _SENDFILE,
) -> Server:
    """Return nginx with one server that has `locations`, and `http` in the block around it."""
    return Server(
        name=name,
        program=NGINX,
        arguments=("-p", "$folder", "-c", "$folder/nginx.conf", "-e", "stderr"),
        files={
            **FILES,
            "nginx.conf": f"""\
daemon off;
worker_processes 1;
pid $folder/nginx.pid;
events {{ worker_connections 10000; }}
http {{
    access_log {log};
    {sending}
    open_file_cache max=2000 inactive=60s;
    keepalive_requests 1000000000;
    client_body_temp_path $folder/body;
    proxy_temp_path $folder/proxy;
    fastcgi_temp_path $folder/fastcgi;
    uwsgi_temp_path $folder/uwsgi;
    scgi_temp_path $folder/scgi;
    {http}
    server {{
        listen 127.0.0.1:$port backlog=4096 {listen};
        {locations}
    }}
}}
""",
        },
        pem=PEM,
    )


NGINX_CLOSING = nginx('keepalive_timeout 0; location / { return 200 "ok\\n"; }')
NGINX_HELLO = nginx(f'location / {{ return 200 "{HELLO.content}"; }}')
NGINX_STATIC = nginx(_STATIC)
NGINX_READING = nginx(_STATIC, name="nginx, reading", sending=_READ)
_LOG = "$folder/access.log combined"
NGINX_LOGGING = nginx(_STATIC, log=f"{_LOG} buffer=64k flush=1s")
NGINX_READING_LOGGING = nginx(
    _STATIC, name=NGINX_READING.name, log=f"{_LOG} buffer=64k flush=1s", sending=_READ
)
NGINX_LOGGING_LINES = nginx(_STATIC, name="nginx, by line", log=_LOG, sending=_READ)
NGINX_STATIC_TLS = nginx(_STATIC, listen="ssl", http=_SECURE)
NGINX_READING_TLS = nginx(
    _STATIC, name=NGINX_READING.name, listen="ssl", http=_SECURE, sending=_READ
)
NGINX_PROXY = nginx(
    'location / { proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection "";'
    " proxy_max_temp_file_size 0; proxy_request_buffering off; client_max_body_size 0; }",
    http="upstream origin { server 127.0.0.1:$origin; keepalive 64; keepalive_requests 1000000000; }",
)
SWALLOW = Server(name="swallow", program=TWISTED, arguments=("$servers/swallow.py", "$port"))

UVICORN_HELLO = Server(
    name="uvicorn",
    program=_UVICORN,
    arguments=(
        *("--host", "127.0.0.1", "--port", "$port", "--loop", "uvloop", "--http", "httptools"),
        *("--no-access-log", "--log-level", "warning", "--lifespan", "off"),
        "benchmarks.servers.asgi_hello:hello",
    ),
)
AIOHTTP_HELLO = Server(
    name="aiohttp",
    program=_AIOHTTP,
    arguments=("$servers/aiohttp_hello.py", "$port"),
)
NETKIT_HELLO = Server(
    name="netkit",
    program=TWISTED,
    arguments=("$servers/netkit_hello.py", "$port"),
)
NETKIT_RESOURCE = Server(
    name="netkit",
    program=TWISTED,
    arguments=("$servers/netkit_resource.py", "$port"),
)
TWISTED_RESOURCE = Server(
    name="stock Site",
    program=TWISTED,
    arguments=("$servers/twisted_site.py", "hello", "$port"),
)
TWISTED_REVERSE = Server(
    name="twisted.web",
    program=TWISTED,
    arguments=("$servers/twisted_site.py", "reverse", "$port", "$origin"),
)
TWISTED_FORWARD = Server(
    name="twisted.web",
    program=TWISTED,
    arguments=("$servers/twisted_site.py", "forward", "$port"),
)
