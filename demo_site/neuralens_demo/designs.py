"""The designs that the shop sells, and the finishes they come in."""

# ruff: noqa: RUF001 - sizes are written with the multiplication sign

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from neuralens_demo.pictures.armchairs import club_chair, lounge_chair, tub_chair, wing_chair
from neuralens_demo.pictures.beds import canopy_bed, slatted_bed, upholstered_bed
from neuralens_demo.pictures.chairs import (
    cane_back,
    chair,
    ladder_back,
    padded_back,
    shell_back,
    spindle_back,
    wishbone_back,
)
from neuralens_demo.pictures.lamps import (
    arc_lamp,
    dome_lamp,
    paper_lantern,
    table_lamp,
    tripod_lamp,
)
from neuralens_demo.pictures.rugs import arch_rug, checked_rug, striped_rug
from neuralens_demo.pictures.sofas import (
    corner_sofa,
    curved_sofa,
    daybed,
    three_seat_sofa,
    two_seat_sofa,
)
from neuralens_demo.pictures.storage import (
    bookcase,
    cabinet,
    chest_of_drawers,
    sideboard,
    wall_shelf,
)
from neuralens_demo.pictures.tables import (
    coffee_table,
    desk,
    nesting_tables,
    pedestal_table,
    round_table,
    trestle_table,
)


@dataclass(frozen=True)
class Finish:
    """A color scheme: its name, and the colors of the picture, the main one first."""

    name: str
    colors: tuple[str, ...]


@dataclass(frozen=True)
class Design:
    """A design: ``draw`` takes the colors of a finish; ``price`` is in whole euros."""

    name: str
    kind: str
    price: int
    size: str
    text: str
    draw: Callable[..., str]
    finishes: tuple[Finish, ...]


@dataclass(frozen=True)
class Category:
    """A department of the shop; ``slug`` is part of its URL, ``prefix`` of its product ids."""

    slug: str
    name: str
    text: str
    prefix: str
    designs: tuple[Design, ...]


OAK, WALNUT, ASH, BIRCH = "#c99a66", "#7b4f35", "#3a3634", "#dfc39a"
OAT, SAGE, RUST, INK = "#e3d8c6", "#94a58b", "#bd6b4a", "#34495e"
OCHRE, FOREST, PLUM, STONE = "#d0a044", "#48604f", "#7b4d5b", "#a39b90"
BRASS, CHALK, CLAY = "#c79f55", "#efece6", "#c9a384"

SEATS = (
    Finish("solid oak, sage", (OAK, SAGE)),
    Finish("solid walnut, rust", (WALNUT, RUST)),
    Finish("black ash, ink", (ASH, INK)),
    Finish("solid birch, oat", (BIRCH, OAT)),
    Finish("solid oak, ochre", (OAK, OCHRE)),
    Finish("solid walnut, forest", (WALNUT, FOREST)),
)
SOFAS = (
    Finish("sage linen", (WALNUT, SAGE, OCHRE)),
    Finish("ink wool", (OAK, INK, OCHRE)),
    Finish("oat bouclé", (OAK, OAT, RUST)),
    Finish("rust corduroy", (WALNUT, RUST, OAT)),
    Finish("plum velvet", (ASH, PLUM, CLAY)),
    Finish("stone linen", (WALNUT, STONE, SAGE)),
)
WOODS = (
    Finish("solid oak", (OAK, OAK)),
    Finish("solid walnut", (WALNUT, WALNUT)),
    Finish("black ash", (ASH, ASH)),
    Finish("oak, forest linoleum", (OAK, FOREST)),
    Finish("solid birch", (BIRCH, BIRCH)),
    Finish("walnut, oak", (WALNUT, OAK)),
)
CASES = (
    Finish("solid oak, sage", (OAK, SAGE)),
    Finish("solid walnut", (WALNUT, "#9b6b4a")),
    Finish("birch, oat", (BIRCH, OAT)),
    Finish("black ash", (ASH, "#4c4744")),
    Finish("oak, rust", (OAK, RUST)),
)
LAMPS = (
    Finish("brass, chalk", (BRASS, CHALK)),
    Finish("black, rust", (ASH, RUST)),
    Finish("black, forest", (ASH, FOREST)),
    Finish("oak, oat", (OAK, OAT)),
    Finish("brass, ink", (BRASS, INK)),
)
BEDS = (
    Finish("solid oak, rust linen", (OAK, STONE, RUST)),
    Finish("solid walnut, ink linen", (WALNUT, SAGE, INK)),
    Finish("black ash, oat linen", (ASH, PLUM, OAT)),
)
RUGS = (
    Finish("rust, ochre", (CHALK, RUST, OCHRE)),
    Finish("ink, rust", (CHALK, INK, RUST)),
    Finish("sage, forest", (OAT, SAGE, FOREST)),
)


def choose(finishes: tuple[Finish, ...], first: int) -> tuple[Finish, ...]:
    """Return three finishes, cyclically from ``first``, so that designs differ."""
    return tuple(finishes[(first + step) % len(finishes)] for step in range(3))


CATEGORIES = (
    Category(
        "chairs",
        "Chairs",
        "To pull up to a table, or to stay in all evening.",
        "AV",
        (
            Design(
                "Alder",
                "spindle chair",
                189,
                "W 52 × D 50 × H 84 cm",
                "Seven hand-turned spindles under a steam-bent rail. Light enough to carry in one "
                "hand, and it gets more comfortable every year.",
                partial(chair, spindle_back),
                choose(SEATS, 0),
            ),
            Design(
                "Brae",
                "ladder chair",
                215,
                "W 48 × D 51 × H 88 cm",
                "Three curved slats and a cushioned seat: a dining chair for long dinners.",
                partial(chair, ladder_back, cushion=True),
                choose(SEATS, 1),
            ),
            Design(
                "Corran",
                "armchair",
                329,
                "W 58 × D 54 × H 82 cm",
                "A padded back and arms that slide under the table. The head of every table "
                "deserves one.",
                partial(chair, padded_back, cushion=True, arms=True),
                choose(SEATS, 2),
            ),
            Design(
                "Dune",
                "cane chair",
                259,
                "W 47 × D 52 × H 86 cm",
                "A bent hoop, woven by hand with natural cane, over an upholstered seat.",
                partial(chair, cane_back, cushion=True),
                choose(SEATS, 3),
            ),
            Design(
                "Elm",
                "wishbone chair",
                389,
                "W 55 × D 51 × H 76 cm",
                "One forked splat carries the whole back. Solid wood, soap-finished.",
                partial(chair, wishbone_back),
                choose(SEATS, 4),
            ),
            Design(
                "Fjord",
                "shell chair",
                239,
                "W 50 × D 53 × H 80 cm",
                "A moulded shell in felt on a solid wood frame: quiet to sit in, easy to clean.",
                partial(chair, shell_back, cushion=True, arms=True),
                choose(SEATS, 5),
            ),
            Design(
                "Glen",
                "wing chair",
                899,
                "W 82 × D 88 × H 108 cm",
                "High wings against draughts and conversation. Sprung by hand, with a headrest "
                "where a head rests.",
                wing_chair,
                choose(SEATS, 5),
            ),
            Design(
                "Harbour",
                "tub chair",
                749,
                "W 86 × D 78 × H 72 cm",
                "Round on the outside, round on the inside. It turns its back on corners.",
                tub_chair,
                choose(SEATS, 3),
            ),
            Design(
                "Isle",
                "lounge chair",
                649,
                "W 74 × D 82 × H 80 cm",
                "An open wooden frame with paddle arms and two loose cushions.",
                lounge_chair,
                choose(SEATS, 1),
            ),
            Design(
                "Kelp",
                "club chair",
                829,
                "W 90 × D 86 × H 74 cm",
                "Deep and square with soft edges: a chair and a half, for one or for one and a "
                "child.",
                club_chair,
                choose(SEATS, 0),
            ),
        ),
    ),
    Category(
        "sofas",
        "Sofas",
        "Where the day ends.",
        "SF",
        (
            Design(
                "Lark",
                "two-seat sofa",
                1290,
                "W 168 × D 88 × H 82 cm",
                "A small sofa with the seat depth of a large one.",
                two_seat_sofa,
                choose(SOFAS, 1),
            ),
            Design(
                "Moss",
                "three-seat sofa",
                1690,
                "W 224 × D 92 × H 82 cm",
                "Feather-wrapped cushions on a frame of solid beech. All covers come off.",
                three_seat_sofa,
                choose(SOFAS, 0),
            ),
            Design(
                "North",
                "corner sofa",
                2190,
                "W 262 × D 158 × H 82 cm",
                "Three seats and one to put your feet up on.",
                corner_sofa,
                choose(SOFAS, 5),
            ),
            Design(
                "Orchard",
                "curved sofa",
                2490,
                "W 240 × D 104 × H 74 cm",
                "One long curve, so that everybody faces everybody.",
                curved_sofa,
                choose(SOFAS, 2),
            ),
            Design(
                "Pebble",
                "daybed",
                990,
                "W 200 × D 84 × H 62 cm",
                "A bench by day, a bed for a guest by night.",
                daybed,
                choose(SOFAS, 3),
            ),
        ),
    ),
    Category(
        "tables",
        "Tables",
        "For six at dinner or for one cup of tea.",
        "TB",
        (
            Design(
                "Quay",
                "trestle table",
                1150,
                "W 200 × D 90 × H 74 cm",
                "A plain top on two trestles, wedged, with no screw in sight.",
                trestle_table,
                choose(WOODS, 0),
            ),
            Design(
                "Reed",
                "round dining table",
                890,
                "Ø 130 × H 74 cm",
                "A round dining table on four splayed legs: nobody gets the corner.",
                round_table,
                choose(WOODS, 1),
            ),
            Design(
                "Sorrel",
                "pedestal table",
                980,
                "Ø 120 × H 74 cm",
                "One turned column, and room for all the knees.",
                pedestal_table,
                choose(WOODS, 2),
            ),
            Design(
                "Tarn",
                "coffee table",
                590,
                "W 130 × D 60 × H 36 cm",
                "A low slab on four blocks, oiled, heavy, there to stay.",
                coffee_table,
                choose(WOODS, 4),
            ),
            Design(
                "Umber",
                "nesting side tables",
                420,
                "Ø 50 and 38 × H 52 and 40 cm",
                "Two small tables that share a corner and part when guests come.",
                nesting_tables,
                choose(WOODS, 5),
            ),
            Design(
                "Vale",
                "writing desk",
                760,
                "W 140 × D 65 × H 75 cm",
                "Two drawers, a top as long as a thought, and a groove for the pen.",
                desk,
                choose(WOODS, 3),
            ),
        ),
    ),
    Category(
        "lamps",
        "Lamps",
        "Light where you sit, dusk where you do not.",
        "LM",
        (
            Design(
                "Wren",
                "arc floor lamp",
                349,
                "H 190 × reach 95 cm",
                "Stands beside the sofa and shines over its middle.",
                arc_lamp,
                choose(LAMPS, 0),
            ),
            Design(
                "Yarrow",
                "tripod floor lamp",
                279,
                "Ø 46 × H 152 cm",
                "Three legs and a linen shade.",
                tripod_lamp,
                choose(LAMPS, 3),
            ),
            Design(
                "Bramble",
                "table lamp",
                159,
                "Ø 34 × H 42 cm",
                "A cap of glazed steel that keeps the bulb out of your eyes.",
                table_lamp,
                choose(LAMPS, 1),
            ),
            Design(
                "Cove",
                "pendant lamp",
                229,
                "Ø 48 × H 26 cm",
                "A spun dome over the dining table, white inside.",
                dome_lamp,
                choose(LAMPS, 2),
            ),
            Design(
                "Drift",
                "paper lantern",
                69,
                "Ø 50 × H 48 cm",
                "Rice paper over bamboo: a pendant lamp that weighs next to nothing.",
                paper_lantern,
                (
                    Finish("white paper", (ASH, "#f7f0e2")),
                    Finish("straw paper", (ASH, "#e8d2a0")),
                    Finish("clay paper", (BRASS, "#dcb59a")),
                ),
            ),
        ),
    ),
    Category(
        "storage",
        "Storage",
        "A place for everything, and doors for some of it.",
        "ST",
        (
            Design(
                "Ember",
                "bookcase",
                690,
                "W 96 × D 32 × H 190 cm",
                "Five shelves of solid wood that do not bend under books.",
                bookcase,
                choose(CASES, 0),
            ),
            Design(
                "Fern",
                "sideboard",
                1290,
                "W 180 × D 45 × H 72 cm",
                "Slatted sliding doors let the remote control through and the sight of cables not.",
                sideboard,
                choose(CASES, 1),
            ),
            Design(
                "Grove",
                "chest of drawers",
                790,
                "W 110 × D 48 × H 86 cm",
                "Three deep drawers, dovetailed, on runners that close by themselves.",
                chest_of_drawers,
                choose(CASES, 2),
            ),
            Design(
                "Heath",
                "wall shelf",
                320,
                "W 140 × D 24 × H 100 cm",
                "Three boards hung between two steel lines.",
                wall_shelf,
                choose(CASES, 4),
            ),
            Design(
                "Ivy",
                "glass cabinet",
                1090,
                "W 98 × D 40 × H 150 cm",
                "Glass above for what should be seen, doors below for the rest.",
                cabinet,
                choose(CASES, 3),
            ),
        ),
    ),
    Category(
        "beds",
        "Beds",
        "A third of your life, well spent.",
        "BD",
        (
            Design(
                "Juniper",
                "slatted bed",
                1190,
                "160 × 200 cm",
                "A headboard of slats to lean a pillow on. Solid wood down to the feet.",
                slatted_bed,
                choose(BEDS, 0),
            ),
            Design(
                "Kestrel",
                "upholstered bed",
                1490,
                "180 × 200 cm",
                "A channelled headboard, soft enough to read against.",
                upholstered_bed,
                choose(BEDS, 1),
            ),
            Design(
                "Linden",
                "canopy bed",
                1790,
                "180 × 200 cm",
                "Four posts, four beams, and curtains if you like.",
                canopy_bed,
                choose(BEDS, 2),
            ),
        ),
    ),
    Category(
        "rugs",
        "Rugs",
        "Wool underfoot.",
        "RG",
        (
            Design(
                "Meadow",
                "arch rug",
                390,
                "170 × 240 cm",
                "Hand-tufted wool with three arches, or a rainbow, depending on who is asked.",
                arch_rug,
                choose(RUGS, 0),
            ),
            Design(
                "Nettle",
                "striped rug",
                340,
                "170 × 240 cm",
                "A flat weave of wool and cotton that can be turned over.",
                striped_rug,
                choose(RUGS, 1),
            ),
            Design(
                "Osier",
                "checked rug",
                360,
                "170 × 240 cm",
                "A checkerboard for large games. Pure wool.",
                checked_rug,
                choose(RUGS, 2),
            ),
        ),
    ),
)
