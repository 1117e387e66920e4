"""Neuralens event tracking for Flask: an extension with snippet, attributes, relay and commands.

::

    neuralens = Neuralens()
    app.config["NEURALENS_APPLICATION_ID"] = "APP"
    neuralens.init_app(app)
"""

from neuralens_flask.extension import Neuralens

__all__ = ["Neuralens"]
