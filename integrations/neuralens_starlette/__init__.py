"""Neuralens event tracking for Starlette and FastAPI: snippet, attributes and relay in one object.

::

    neuralens = Neuralens(app_id="APP", api_key=KEY)
    app = FastAPI(lifespan=neuralens.lifespan)
    neuralens.mount(app)
    neuralens.install(templates)  # a Jinja2Templates
"""

from neuralens_starlette.neuralens import Neuralens

__all__ = ["Neuralens"]
