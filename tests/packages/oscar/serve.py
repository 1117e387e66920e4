"""Serves a shop of django-oscar with six chairs, and prints its address.

Run by the interpreter of an environment that holds django-oscar and the wheel, with
DJANGO_SETTINGS_MODULE=settings and OSCAR_DATA, the folder of its data.
"""

import django
import uvicorn
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application
from django.core.management import call_command
from neuralens_django.asgi import mount
from neuralens_relay.serving import address, listen
from oscar.core.loading import get_model

CHAIRS = ("Spindle", "Ladder", "Windsor", "Shaker", "Rocking", "Folding")


def fill() -> None:
    """Create a category of chairs in stock, and a shipping country."""
    category = get_model("catalogue", "Category").add_root(name="Chairs")
    kind = get_model("catalogue", "ProductClass").objects.create(
        name="Furniture", requires_shipping=True, track_stock=False
    )
    partner = get_model("partner", "Partner").objects.create(name="Workshop")
    for name in CHAIRS:
        product = get_model("catalogue", "Product").objects.create(
            product_class=kind, title=f"{name} oak chair", upc=f"UPC-{name}"
        )
        product.categories.add(category)
        get_model("partner", "StockRecord").objects.create(
            product=product, partner=partner, partner_sku=name, price=99
        )
    get_model("address", "Country").objects.create(
        iso_3166_1_a2="NL", printable_name="Netherlands", name="NL", is_shipping_country=True
    )


def main() -> None:
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
    fill()
    call_command("rebuild_index", interactive=False, verbosity=0)
    app = mount(ASGIStaticFilesHandler(get_asgi_application()))
    with listen("127.0.0.1", 0) as listener:
        print(address(listener), flush=True)
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


if __name__ == "__main__":
    main()
