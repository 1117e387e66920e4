"""The relay as a view, for projects under WSGI."""

import io

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from neuralens_django.configuration import page_configuration
from neuralens_django.mounted import relay


@csrf_exempt
def relay_view(request: HttpRequest, path: str) -> HttpResponse:
    """Pass a request on to the relay. A beacon has no CSRF token: the relay checks its origin."""
    if not page_configuration().enabled:
        raise Http404("the tracking is not enabled")
    response = HttpResponse()
    # Django's default Content-Type is HTML; the relay sets its own.
    del response["Content-Type"]

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None) -> None:
        code, reason = status.split(" ", 1)
        response.status_code = int(code)
        response.reason_phrase = reason
        for name, value in headers:
            if name.lower() == "set-cookie":
                response.cookies.load(value)
            else:
                response[name] = value

    for chunk in relay().wsgi(environ_of(request, path), start_response):
        response.write(chunk)
    return response


def environ_of(request: HttpRequest, path: str) -> dict[str, object]:
    """Return the WSGI environ of a request, even if it came from an ASGI server."""
    prefix = request.path.removesuffix(path).rstrip("/")
    host, _, port = request.get_host().rpartition(":")
    return {
        **{name: value for name, value in request.META.items() if isinstance(value, str)},
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": prefix,
        "PATH_INFO": f"/{path}",
        "SERVER_NAME": request.META.get("SERVER_NAME", host),
        "SERVER_PORT": str(request.META.get("SERVER_PORT", port or 80)),
        "SERVER_PROTOCOL": request.META.get("SERVER_PROTOCOL", "HTTP/1.1"),
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": io.BytesIO(request.body),
    }
