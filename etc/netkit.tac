# Serves what netkit.toml beside this file says: twistd -ny etc/netkit.tac
from pathlib import Path

from netkit.application import application as serve

application = serve(str(Path(__file__).with_name("netkit.toml")))
