"""Models on disk: one JSON file each, checked by a schema before it is used."""

from chainrule.saving.models import load, load_file, save

__all__ = ["load", "load_file", "save"]
