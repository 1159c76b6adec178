"""Models on disk: one JSON file each, and the schemas that any document must pass before it is believed."""

from chainrule.saving.models import load, load_file, save

__all__ = ["load", "load_file", "save"]
