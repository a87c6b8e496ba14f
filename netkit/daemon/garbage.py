"""How often Python looks for garbage that refers to itself, in a process that is a daemon's own.

Almost everything goes as its last user lets go of it. With many requests under way Python's defaults
look for the rest so often that a twentieth of the time goes by with it, since what is under way is
counted too. Rule: garbage stays bounded; it is looked for after so many objects more.
"""

import gc

YOUNG_OBJECTS = 3_000
"""So many more objects than now are there before the new ones are looked through: a few 100 kB."""


def look_seldom() -> None:
    """Look through new objects less often, and never again through those that there are now."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
