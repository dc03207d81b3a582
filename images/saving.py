"""Save a drawing as SVG and PNG, the same bytes on every machine: what the scripts beside this one share."""

import io
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image


def save(name: str, title: str, figure: Figure, dpi: int = 160, colours: int = 64) -> None:
    """Write images/NAME.svg and .png, the PNG in few colours."""
    here = Path(__file__).parent
    figure.savefig(here / f"{name}.svg", metadata={"Date": None, "Title": title})
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=dpi)
    palette = Image.open(drawn).convert("RGB").quantize(colours, dither=Image.Dither.NONE)
    palette.save(here / f"{name}.png", optimize=True)
