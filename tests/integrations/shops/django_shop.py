"""A shop on Django, in one module: settings, views and URLs; the relay is one of the URLs."""

import uuid
from pathlib import Path

from django.core.paginator import Paginator
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import include, path

from tests.integrations.shops.catalog import CHAIRS, PER_PAGE, find

SECRET_KEY = "of a test alone"
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = __name__
WSGI_APPLICATION = f"{__name__}.wsgi"
INSTALLED_APPS = ["neuralens_django"]
MIDDLEWARE = ["django.middleware.csrf.CsrfViewMiddleware"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent / "django_templates"],
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
        "APP_DIRS": True,
    }
]
USE_THOUSAND_SEPARATOR = True
NEURALENS = {
    "UID": f"{__name__}.shopper",
    "SNIPPET": {"view_ms": 150},
}


def shopper(request):
    return request.COOKIES.get("shopper")


def search(request):
    page = Paginator(CHAIRS, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "search.html", {"query": request.GET["q"], "page": page})


def chair(request, key: uuid.UUID):
    return render(request, "chair.html", {"chair": find(key)})


def cart(request):
    return HttpResponseRedirect("/order/O-1")


def order(request, order: str):
    return render(request, "order.html", {"order": order, "chairs": CHAIRS[:2]})


urlpatterns = [
    path("nl/", include("neuralens_django.urls")),
    path("search", search),
    path("chairs/<uuid:key>", chair),
    path("cart", cart),
    path("order/<order>", order),
]
