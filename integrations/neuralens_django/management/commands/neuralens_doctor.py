"""``manage.py neuralens_doctor URL``: visits the running shop in a real browser."""

from neuralens_embed.cli import main
from neuralens_verify.cli import verify

from neuralens_django.management.wrapper import Wrapper


class Command(Wrapper):
    """Runs ``neuralens-tracker verify``."""

    help = "Visit the shop in a browser, and report what is captured, sent and acknowledged."
    wrapped = verify

    def run(self, arguments: list[str]) -> None:
        """Run the command by its group, which names the extra that is missing."""
        main.main(["verify", *arguments], "neuralens-tracker")
