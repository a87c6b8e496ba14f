"""netkit: finger, echo, pub/sub, a web site and a proxy from one TOML file."""
