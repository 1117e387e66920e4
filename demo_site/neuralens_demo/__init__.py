"""A storefront, a sandbox of the event API and a live inspector."""
