"""All measured systems, hogwild first. A new one is a file here and a name in this list."""
from . import cornac, hogwild, implicit, libffm, liblinear, libmf, lightfm, river, sklearn, snapml, surprise, vw, xlearn

FAMILIES = [hogwild, vw, xlearn, libffm, liblinear, sklearn, snapml, river, libmf, cornac, surprise, implicit, lightfm]
ALL = [system for family in FAMILIES for system in family.SYSTEMS]


def named(name, task):
    return next(system for system in ALL if (system.name, system.task) == (name, task))
