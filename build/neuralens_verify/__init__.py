"""Verifies a running shop in a real browser: what is captured, sent and acknowledged; faults."""

from neuralens_verify.diagnoses import diagnose
from neuralens_verify.findings import Finding
from neuralens_verify.observations import Observations

__all__ = ["Finding", "Observations", "diagnose"]
