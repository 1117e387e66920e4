"""Renders the script tag and the attributes on a shop's server, and audits pages."""

from neuralens_embed.attributes import MarkupError
from neuralens_embed.bundles import NotBuiltError
from neuralens_embed.snippet import Snippet

__all__ = ["MarkupError", "NotBuiltError", "Snippet"]
