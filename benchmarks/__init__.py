"""netkit measured beside its peers, in one run on one machine: `python -m benchmarks`.

Nothing here is part of netkit, and netkit knows nothing of it. Rule: a figure stands beside the
figure of somebody else's program, taken in the same minute; alone it says little.
"""
