"""Pictures outside of browsers: the colours arrive in programs that know no variables; PNG and PDF."""

from __future__ import annotations

import io
import re
import sys
import types
from xml.etree import ElementTree

import pytest

from chainrule import Value, draw
from chainrule.draw import raster
from chainrule.draw.theme import DARK, LIGHT
from chainrule.errors import MissingExtraError

SVG = "{http://www.w3.org/2000/svg}"
SHAPES = {f"{SVG}{tag}" for tag in ("rect", "path", "text")}


def cairosvg():
    try:
        return pytest.importorskip("cairosvg")
    except OSError:
        pytest.skip("the system has no cairo")


def by_cairosvg(svg):
    return cairosvg().svg2png(bytestring=svg.encode())


def by_resvg(svg):
    return pytest.importorskip("resvg_py").svg_to_bytes(svg_string=svg)


def pixels(png):
    """The colours of a PNG, as `#rrggbb`, each with the number of its pixels."""
    image = pytest.importorskip("PIL.Image").open(io.BytesIO(png)).convert("RGBA")
    counted = image.getcolors(image.width * image.height)
    return {"#{:02x}{:02x}{:02x}".format(*colour): count for count, colour in counted if colour[3] == 255}


def near(one, other):
    return all(abs(int(one[i : i + 2], 16) - int(other[i : i + 2], 16)) < 24 for i in (1, 3, 5))


@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_every_shape_has_a_literal_colour_of_its_own(neuron, theme):
    drawing = draw([neuron, neuron.relu() > 2.0], theme=theme)
    known = {"none", *(DARK if theme == "dark" else LIGHT).values()}
    shapes = [element for element in ElementTree.fromstring(drawing.svg).iter() if element.tag in SHAPES]
    assert shapes
    for shape in shapes:
        colours = {shape.get("fill"), shape.get("stroke")} - {None}
        assert colours
        assert colours <= known
    assert "style=" not in drawing.svg
    outside = re.sub(r"@supports \(--a:b\)\{.*\n\}", "", drawing.svg, flags=re.DOTALL)
    assert "var(" not in outside
    assert "@" not in outside


@pytest.mark.parametrize("render", [by_cairosvg, by_resvg])
@pytest.mark.parametrize(("theme", "colours"), [("auto", LIGHT), ("light", LIGHT), ("dark", DARK)])
def test_two_programs_draw_the_colours_of_the_theme(neuron, render, theme, colours):
    seen = pixels(render(draw(neuron, theme=theme).svg))
    assert max(seen, key=seen.get) == colours["back"]
    for part in ("leaf", "operation", "root", "root-strong", "operation-strong"):
        assert seen[colours[part]] > 100, part
    for part in ("ink", "muted", "leaf-line", "root-line", "line"):  # thin, so most of their pixels are blurred
        assert any(near(colour, colours[part]) for colour in seen), part
    assert "#000000" not in seen


def test_png_has_two_pixels_for_each_unit(neuron, tmp_path):
    pytest.importorskip("resvg_py")
    drawing = draw(neuron, theme="dark")
    path = drawing.save(tmp_path / "neuron.PNG")
    assert path.read_bytes() == drawing.png
    image = pytest.importorskip("PIL.Image").open(io.BytesIO(drawing.png))
    root = ElementTree.fromstring(drawing.svg)
    assert image.size == tuple(2 * int(root.get(name)) for name in ("width", "height"))
    assert max(pixels(drawing.png), key=pixels(drawing.png).get) == DARK["back"]


def test_pdf(neuron, tmp_path):
    cairosvg()
    path = draw(neuron).save(tmp_path / "neuron.pdf")
    assert path.read_bytes().startswith(b"%PDF-")


def test_a_very_large_picture_has_fewer_pixels():
    sizes = []

    def svg_to_bytes(svg_string, width=0, height=0, **options):
        sizes.append((width, height))
        return bytes(len(sizes))

    resvg = types.SimpleNamespace(svg_to_bytes=svg_to_bytes)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raster, "require", lambda name, extra: resvg)
        patch.setattr(raster, "_refuse_without_fonts", lambda resvg: None)
        raster.png("<svg/>", 100, 50)
        raster.png("<svg/>", 60_000, 100)
        raster.png("<svg/>", 20_000, 20_000)
    assert sizes == [(200, 100), (30_000, 50), (10_000, 10_000)]


@pytest.mark.parametrize(("suffix", "library"), [("png", "resvg_py"), ("pdf", "cairosvg")])
def test_without_the_library_the_extra_is_named(neuron, tmp_path, monkeypatch, suffix, library):
    monkeypatch.setitem(sys.modules, library, None)
    path = tmp_path / f"neuron.{suffix}"
    with pytest.raises(
        MissingExtraError, match=rf"{library}, which is not installed: pip install 'chainrule\[picture\]"
    ):
        draw(neuron).save(path)
    assert not path.exists()


def test_without_the_system_s_cairo_its_packages_are_named(monkeypatch):
    def fails(name, extra):
        raise OSError('no library called "cairo-2" was found')

    monkeypatch.setattr(raster, "require", fails)
    with pytest.raises(MissingExtraError, match=r"apt install libcairo2 .* brew install cairo .* \.svg and \.png do"):
        _ = draw(Value(1.0)).pdf


def test_without_a_font_there_is_no_picture_without_text(monkeypatch):
    textless = types.SimpleNamespace(svg_to_bytes=lambda svg_string, **options: b"PNG")
    monkeypatch.setattr(raster, "require", lambda name, extra: textless)
    with pytest.raises(MissingExtraError, match="a PNG needs a font"):
        _ = draw(Value(1.0)).png
