"""The names of the tracker's package, and of two modules that the build treats specially."""

PACKAGE = "neuralens_tracker"
# The interface to a runtime; each runtime has an adapter of its own in its place.
ADAPTER = f"{PACKAGE}.web.ffi"
# Its names are used only in annotations.
TYPES = f"{PACKAGE}.types"
