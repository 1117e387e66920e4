"""What a shop's server puts on its pages: the script tag and the attributes, and their audit."""

from neuralens_embed.attributes import MarkupError
from neuralens_embed.bundles import NotBuiltError
from neuralens_embed.snippet import Snippet

__all__ = ["MarkupError", "NotBuiltError", "Snippet"]
