"""`python -m netkit.tools`: the command, where it is not on the path."""

import sys

from netkit.tools.command import main

if __name__ == "__main__":
    sys.exit(main())
