"""URLs of Oscar and the relay."""

from django.apps import apps
from django.urls import include, path

urlpatterns = [
    path("nl/", include("neuralens_django.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("", include(apps.get_app_config("oscar").urls[0])),
]
