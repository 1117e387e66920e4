"""``manage.py neuralens_audit PATH...``: shows what the tracker would capture."""

import sys
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.test import Client
from neuralens_embed.commands import WrongInput, report_pages


class Command(BaseCommand):
    """Audits pages fetched by the test client: without a server, and as any user."""

    help = "Show what the tracker would capture on pages, and which attributes are wrong."

    def add_arguments(self, parser: CommandParser) -> None:
        """Accept the paths of pages, and options for fetching them."""
        parser.add_argument("paths", nargs="+", metavar="PATH", help="such as /search/?q=chair")
        parser.add_argument("--user", metavar="NAME", help="log in as this user first")
        parser.add_argument("--format", choices=["text", "json", "github"], default="text")

    def handle(self, *_: object, **options: Any) -> None:
        """Print each page's audit; exit status 1 if anything is wrong."""
        client = Client(SERVER_NAME=name_host(), raise_request_exception=False)
        if options["user"]:
            users = get_user_model()
            try:
                client.force_login(
                    users.objects.get(**{str(users.USERNAME_FIELD): options["user"]})
                )
            except users.DoesNotExist as error:
                raise CommandError(f"there is no user {options['user']}") from error
        try:
            is_right = report_pages(read_pages(client, options["paths"]), options["format"])
        except WrongInput as error:
            raise CommandError(error.message) from error
        if not is_right:
            sys.exit(1)


def name_host() -> str:
    """Return a host that the project allows."""
    hosts = (host for host in settings.ALLOWED_HOSTS if "*" not in host)
    return next(hosts, "localhost").lstrip(".")


def read_pages(client: Client, paths: list[str]) -> Iterator[tuple[str, str]]:
    """Yield each path with its HTML; raises CommandError for an error response."""
    for path in paths:
        response = client.get(path, follow=True, secure=settings.SECURE_SSL_REDIRECT)
        if response.status_code != 200:
            raise CommandError(f"{path} answers {response.status_code}")
        content = b"".join(response) if response.streaming else response.content
        yield path, content.decode(response.charset, "replace")
