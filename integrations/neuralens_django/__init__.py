"""Neuralens event tracking for Django: add ``neuralens_django`` to INSTALLED_APPS.

The dict ``NEURALENS`` of the project's settings is described in ``neuralens_django.configuration``.
"""
