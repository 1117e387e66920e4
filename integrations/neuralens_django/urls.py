"""The relay's URLs: ``path("nl/", include("neuralens_django.urls"))``."""

from django.urls import re_path

from neuralens_django.views import relay_view

app_name = "neuralens"
urlpatterns = [re_path(r"^(?P<path>.*)$", relay_view, name="relay")]
