"""Bundles fixture scripts with the npm packages that they import, as a shop does."""

import functools
from pathlib import Path

from neuralens_build import npm_tools

HERE = Path(__file__).parent


@functools.cache
def bundle(path: str) -> str:
    """Return a script of this folder, bundled with its imports, for a script element."""
    script = npm_tools.run_esbuild(
        str(HERE / path),
        "--bundle",
        "--format=iife",
        "--minify",
        '--define:process.env.NODE_ENV="production"',
        "--define:__VUE_OPTIONS_API__=true",
        "--define:__VUE_PROD_DEVTOOLS__=false",
        "--define:__VUE_PROD_HYDRATION_MISMATCH_DETAILS__=false",
        "--log-level=error",
    )
    return script.replace("</script", "<\\/script")
