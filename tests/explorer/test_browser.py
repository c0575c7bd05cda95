"""The page in a real browser: every tab on five networks, drawing, arithmetic, mistakes, curves."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from explored import Served, keep, lenet, residual
from playwright.sync_api import Page, expect
from seen import TABS, draw_seven, opened

pytestmark = pytest.mark.browser

RUNS = ("lenet", "tutorial", "residual", "grey", "hundred")


@pytest.mark.parametrize("run", RUNS)
def test_every_tab_of_every_network(quiet: Page, served: Served, run: str) -> None:
    opened(quiet, served, run)
    quiet.locator(".column.convolution canvas").first.click(position={"x": 9, "y": 9})
    total = quiet.locator("#unit-total")
    expect(total).to_be_visible()
    computed = float(total.get_attribute("data-value") or "nan")
    assert float(total.get_attribute("data-total") or "nan") == pytest.approx(
        computed, rel=1e-5, abs=1e-7
    )
    expect(quiet.locator(".agrees")).to_be_visible()
    for tab in TABS:
        quiet.click(f"#tab-{tab}")
        expect(quiet.locator(f"#tab-{tab}")).to_have_attribute("aria-selected", "true")
        quiet.wait_for_load_state("networkidle")
        expect(quiet.locator(".tab-body")).not_to_be_empty()
    assert quiet.locator(".message").count() == 0


def test_a_drawn_seven_is_a_seven(quiet: Page, served: Served) -> None:
    opened(quiet, served, "lenet")
    draw_seven(quiet)
    expect(quiet.locator(".reads b")).to_have_text("7")
    expect(quiet.locator(".caption")).to_contain_text("drawn")
    quiet.keyboard.press("Control+z")
    expect(quiet.locator(".caption")).to_contain_text("drawn")


def test_the_page_has_the_models_own_activation(quiet: Page, served: Served) -> None:
    from striate.inspect import feature_maps

    opened(quiet, served, "lenet", "&sample=5&unit=3.4.6.conv2d_1")
    total = quiet.locator("#unit-total")
    expect(total).to_be_visible()
    subject = served.subjects["lenet"]
    assert subject.test is not None
    maps = feature_maps(subject.model, subject.test.x[5])["conv2d_1"].values
    shown = float(total.get_attribute("data-total") or "nan")
    assert shown == pytest.approx(float(maps[4, 6, 3]), rel=1e-5, abs=1e-6)
    quiet.get_by_role("button", name="Python").click()
    line = quiet.locator(".code pre").inner_text()
    done = subprocess.run([sys.executable, "-c", line], capture_output=True, text=True, check=True)
    assert float(done.stdout) == pytest.approx(shown, rel=1e-6, abs=1e-7)


def test_a_mistake_goes_from_the_matrix_into_the_network(quiet: Page, served: Served) -> None:
    opened(quiet, served, "lenet", "&tab=mistakes")
    cell = quiet.locator(".matrix td[data-label]:not(.right)[style]").first
    cell.click()
    label = int(cell.get_attribute("data-label") or -1)
    said = int(cell.get_attribute("data-said") or -1)
    expect(quiet.locator(".gallery-part h3")).to_have_text(f"{label} read as {said}")
    quiet.locator(".gallery-part .card").first.click()
    expect(quiet.locator(".reads b")).to_have_text(str(said))
    expect(quiet.locator(".reads")).to_contain_text(f"wrong: it is a {label}")
    captions = quiet.locator(".overlays figcaption")
    expect(captions.nth(0)).to_have_text(f"for {said}, what is said")
    expect(captions.nth(1)).to_have_text(f"for {label}, what it is")


def test_the_matrix_is_walked_over_by_keys(quiet: Page, served: Served) -> None:
    opened(quiet, served, "lenet", "&tab=mistakes")
    quiet.locator(".matrix td[tabindex='0']").focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowRight", "Enter"):
        quiet.keyboard.press(key)
    expect(quiet.locator(".gallery-part h3")).to_have_text("2 read as 1")


def test_a_unit_is_chosen_and_left_by_keys(quiet: Page, served: Served) -> None:
    opened(quiet, served, "lenet")
    quiet.locator("#column-2 canvas").focus()
    for key in ("PageDown", "ArrowUp", "Enter"):
        quiet.keyboard.press(key)
    expect(quiet.locator(".unit-head h3")).to_have_text("conv2d map 1, row 13, column 14")
    quiet.keyboard.press("Escape")
    expect(quiet.locator(".unit-head .hint")).to_be_visible()


def test_a_silenced_map_shows_its_effect_and_comes_back(quiet: Page, served: Served) -> None:
    opened(quiet, served, "lenet", "&unit=2.4.4.conv2d_1")
    scores = quiet.locator(".scores table")
    before = scores.text_content() or ""
    quiet.get_by_role("button", name="Silence map").click()
    expect(quiet.locator(".bars .ghost").first).to_be_attached()
    expect(scores).not_to_have_text(before)
    quiet.get_by_role("button", name="Undo: conv2d_1: 2 silent").click()
    expect(scores).to_have_text(before)


def scores(page: Page) -> list[float]:
    """Return the raw outputs, which the page writes with three digits or four."""
    minus = "\N{MINUS SIGN}"
    return [
        float(text.replace(minus, "-"))
        for text in page.locator(".scores td:nth-child(2)").all_text_contents()
    ]


def close(outputs: Any) -> Any:
    return pytest.approx([float(one) for one in outputs], rel=6e-3)


def test_a_scaled_kernel_gives_the_answer_of_that_network(quiet: Page, served: Served) -> None:
    from striate.inspect import feature_maps
    from striate.inspect.whatif import Change, what_if

    opened(quiet, served, "lenet", "&sample=5&unit=2.4.4.conv2d_1")
    before = scores(quiet)
    factor = quiet.get_by_label("Factor of the kernel")
    factor.fill("3")
    expect(quiet.locator(".edits li")).to_contain_text(
        "conv2d_1: kernel 2 \N{MULTIPLICATION SIGN} 3"
    )
    expect(quiet.locator(".bars .ghost")).to_have_count(10)
    subject = served.subjects["lenet"]
    assert subject.test is not None
    other = what_if(subject.model, [Change("conv2d_1", 2, 3.0, kernel=True)])
    expected = feature_maps(other, subject.test.x[5])["dense_1"].values
    assert scores(quiet) == close(expected)
    assert scores(quiet) != before
    factor.fill("1")  # as it was
    expect(quiet.locator(".edits li")).to_have_count(0)
    expect(quiet.locator(".bars .ghost")).to_have_count(0)
    assert scores(quiet) == before


def test_what_a_unit_sees_is_masked_and_comes_back(quiet: Page, served: Served) -> None:
    from striate.inspect import receptive_field

    opened(quiet, served, "lenet", "&sample=5&unit=3.5.5.conv2d_1")
    expect(quiet.locator("#unit-total")).to_be_visible()
    before = scores(quiet)
    quiet.get_by_role("button", name="Mask its view").click()
    expect(quiet.locator(".caption")).to_contain_text("drawn")
    expect(quiet.locator(".bars .ghost")).to_have_count(10)
    subject = served.subjects["lenet"]
    assert subject.test is not None
    (seen,) = receptive_field(subject.model, "conv2d_1", (5, 5, 3)).masks
    masked = np.where(seen, 0, subject.test.x[5])
    expect(quiet.locator(".bars .best .number")).to_have_text(
        f"{100 * subject.model.predict(masked[None])[0].max():.1f} %"
    )
    assert scores(quiet) == close(subject.model.predict(masked[None])[0])
    assert scores(quiet) != before
    quiet.keyboard.press("Control+z")
    expect(quiet.locator(".caption")).to_contain_text("test picture 5")
    expect(quiet.locator(".bars .ghost")).to_have_count(0)
    assert scores(quiet) == before


def test_a_part_is_erased_by_the_brush_and_comes_back(quiet: Page, served: Served) -> None:
    opened(quiet, served, "lenet", "&sample=5")
    before = scores(quiet)
    quiet.get_by_role("button", name="Erase").click()
    quiet.locator(".sheet").scroll_into_view_if_needed()
    sheet = quiet.locator(".sheet").bounding_box()
    assert sheet is not None
    quiet.mouse.move(sheet["x"] + 0.2 * sheet["width"], sheet["y"] + 0.4 * sheet["height"])
    quiet.mouse.down()
    quiet.mouse.move(sheet["x"] + 0.8 * sheet["width"], sheet["y"] + 0.4 * sheet["height"], steps=9)
    quiet.mouse.up()
    expect(quiet.locator(".bars .ghost")).to_have_count(10)
    assert scores(quiet) != before
    quiet.keyboard.press("Control+z")
    expect(quiet.locator(".bars .ghost")).to_have_count(0)
    assert scores(quiet) == before


def test_two_runs_are_beside_each_other(quiet: Page, served: Served) -> None:
    opened(quiet, served, "lenet", "&sample=5&unit=3.5.5.conv2d&tab=compare&with=tutorial")
    expect(quiet.locator("#tab-compare")).to_have_attribute("aria-selected", "true")
    expect(quiet.locator(".pair h3").first).to_have_text("What differs")
    expect(quiet.locator(".pair .chart canvas").first).to_be_visible()
    expect(quiet.locator(".pair")).to_contain_text("They disagree on")
    rows = quiet.locator("table:has(.maps) tr")
    expect(rows).to_have_count(2)
    expect(rows.nth(0).locator(".maps canvas")).to_have_count(6)
    expect(rows.nth(1).locator(".maps canvas")).to_have_count(6)  # the same maps of the other
    expect(rows.nth(0).locator("b")).to_have_text(quiet.locator(".reads b").inner_text())
    expect(quiet.locator(".compare")).to_contain_text("conv2d, map 3, row 5, column 5")


def test_one_run_after_another_in_the_same_page(quiet: Page, served: Served) -> None:
    opened(quiet, served, "residual")
    for run, columns in (("lenet", 9), ("hundred", 10), ("residual", 12), ("lenet", 9)):
        quiet.get_by_label("Run", exact=True).select_option(run)
        expect(quiet.locator(".column")).to_have_count(columns)
        quiet.locator(".column canvas[style]").nth(2).hover()
        expect(quiet.locator(".edge.near").first).to_be_attached()
        quiet.locator(".column").nth(2).locator("canvas").click(position={"x": 5, "y": 5})
        expect(quiet.locator("#unit-total")).to_be_visible()


def test_maps_kernels_and_the_answer_are_those_of_an_epoch(quiet: Page, served: Served) -> None:
    opened(quiet, served, "lenet", "&sample=5&tab=epochs")
    kernels = quiet.locator(".epochs .kernels canvas")
    expect(kernels).to_have_count(6)
    picture = "(one) => one.toDataURL()"
    now, sure = kernels.first.evaluate(picture), quiet.locator(".bars .best").text_content()
    quiet.locator(".epoch-answer[data-epoch='0']").click()
    expect(quiet.locator(".top button.badge")).to_have_text(re.compile("^before training"))
    expect(quiet.locator(".bars .best")).not_to_have_text(sure)
    first = "document.querySelector('.epochs .kernels canvas').toDataURL()"
    quiet.wait_for_function(f"(now) => {first} !== now", arg=now)
    quiet.click("#tab-kernels")
    expect(quiet.locator(".kernels:visible canvas")).to_have_count(6)
    quiet.locator(".top button.badge").click()  # as it is
    expect(quiet.locator(".bars .best")).to_have_text(sure)
    quiet.click("#tab-epochs")
    expect(quiet.locator(".epochs .slider b")).to_have_text("after epoch 2")
    quiet.wait_for_function(f"(now) => {first} === now", arg=now)


def test_the_link_brings_the_view_back(quiet: Page, served: Served) -> None:
    opened(quiet, served, "lenet", "&sample=17&unit=3.2.2.conv2d&tab=unit")
    expect(quiet.locator("#unit-total")).to_be_visible()
    first = quiet.locator("#unit-total").inner_text()
    quiet.keyboard.press("ArrowRight")
    quiet.wait_for_timeout(400)
    other = quiet.context.new_page()
    other.goto(quiet.url)
    expect(other.locator("#unit-total")).to_have_text(first)
    expect(other.locator(".caption")).to_contain_text("test picture 17")


def test_the_link_brings_a_large_picture(quiet: Page, served: Served) -> None:
    from io import BytesIO

    from PIL import Image

    noise, file = np.random.default_rng(0).integers(0, 256, (224, 224, 3), np.uint8), BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    opened(quiet, served, "hundred")
    quiet.get_by_role("button", name="Image").click()
    sent = {"name": "noise.png", "mimeType": "image/png", "buffer": file.getvalue()}
    quiet.get_by_label("Image file").set_input_files(sent)
    quiet.wait_for_url(re.compile("[#&]pixels="))
    quiet.wait_for_load_state("networkidle")
    quiet.locator(".scores summary").click()
    expect(quiet.locator(".scores td:last-child").first).not_to_be_empty()
    other = quiet.context.new_page()
    other.goto(quiet.url)
    other.locator(".scores summary").click()
    cells = quiet.locator(".scores td").all_inner_texts()
    assert len(cells) > 20
    expect(other.locator(".scores td")).to_have_text(cells)


@pytest.mark.parametrize("pixels", ["", "cut", "A%20", "zeros"])
def test_a_link_whose_picture_is_none_begins_with_a_sample(
    quiet: Page, served: Served, pixels: str
) -> None:
    if pixels == "zeros":  # 100 MB of them
        pack = zlib.compressobj(wbits=-15)
        small = pack.compress(bytes(100_000_000)) + pack.flush()
        pixels = base64.urlsafe_b64encode(small).decode().rstrip("=")
    opened(quiet, served, "lenet", f"&pixels={pixels}")
    expect(quiet.locator(".caption")).to_contain_text("test picture 0")


def test_the_link_brings_back_what_was_changed(quiet: Page, served: Served) -> None:
    opened(quiet, served, "lenet", "&sample=5&unit=2.4.4.conv2d_1&tab=epochs&sort=activity")
    quiet.locator(".epoch-answer[data-epoch='1']").click()
    quiet.get_by_role("button", name="Silence map").click()
    quiet.get_by_label("Size of the maps").fill("2")
    expect(quiet.locator(".bars .ghost")).to_have_count(10)
    quiet.locator(".scores summary").click()
    expect(quiet.locator(".scores td:last-child").first).not_to_be_empty()
    before = quiet.locator(".scores").inner_text()
    quiet.wait_for_timeout(400)
    other = quiet.context.new_page()
    other.goto(quiet.url)
    expect(other.locator(".edits li")).to_contain_text("conv2d_1: 2 silent")
    expect(other.locator(".top button.badge")).to_contain_text("after epoch 1")
    expect(other.get_by_label("Size of the maps")).to_have_value("2")
    pressed = other.get_by_role("button", name="strongest first")
    expect(pressed).to_have_attribute("aria-pressed", "true")
    other.locator(".scores summary").click()
    expect(other.locator(".scores td:last-child").first).not_to_be_empty()
    assert other.locator(".scores").inner_text() == before


def test_edges_appear_on_hover_only(quiet: Page, served: Served) -> None:
    opened(quiet, served, "residual")
    quiet.mouse.move(3, 3)
    seen = """() => [...document.querySelectorAll(".edge")]
      .filter((one) => getComputedStyle(one).opacity > 0).length"""
    assert quiet.locator(".edge").count() > 10
    assert quiet.evaluate(seen) == 0
    quiet.locator("#column-3").hover()
    assert quiet.evaluate(seen) >= 2
    quiet.mouse.move(3, 3)
    assert quiet.evaluate(seen) == 0
    quiet.locator("#column-3 canvas").focus()
    assert quiet.evaluate(seen) >= 2


def test_every_lesson_operates_the_page(quiet: Page, served: Served) -> None:
    opened(quiet, served, "lenet", "&tab=learn")
    quiet.locator(".lessons button").first.click()
    for number in range(1, 13):
        expect(quiet.locator(".lesson .step")).to_have_text(str(number))
        quiet.wait_for_load_state("networkidle")
        quiet.locator(".lesson .main").click()
    expect(quiet.locator(".lesson")).to_be_hidden()


def test_an_image_is_dropped_and_inverted(quiet: Page, served: Served) -> None:
    from io import BytesIO

    from PIL import Image, ImageOps

    subject = served.subjects["lenet"]
    assert subject.test is not None
    paper = ImageOps.invert(Image.fromarray(subject.test.x[0][..., 0])).resize((140, 140))
    file = BytesIO()
    paper.save(file, "PNG")
    opened(quiet, served, "lenet")
    quiet.get_by_role("button", name="Image").click()
    sent = {"name": "seven.png", "mimeType": "image/png", "buffer": file.getvalue()}
    quiet.get_by_label("Image file").set_input_files(sent)
    expect(quiet.locator(".sees tbody")).to_contain_text("resize")
    quiet.get_by_role("button", name="Enlarge file").click()
    expect(quiet.locator(".step-large figcaption")).to_have_text("file: 140 x 140, L")
    large = quiet.locator(".step-large canvas").bounding_box()
    assert large is not None and large["width"] > 150
    quiet.get_by_role("button", name="Enlarge file").click()
    expect(quiet.locator(".step-large")).to_be_hidden()
    quiet.get_by_role("button", name="Inverted? Turn it").click()
    expect(quiet.locator(".reads b")).to_have_text("7")


def test_an_image_is_pasted(quiet: Page, served: Served) -> None:
    opened(quiet, served, "lenet")
    quiet.get_by_role("button", name="Image").click()
    quiet.evaluate("""async () => {
      const canvas = new OffscreenCanvas(90, 60);
      canvas.getContext("2d").fillRect(0, 0, 40, 60);
      const file = new File([await canvas.convertToBlob()], "pasted.png", { type: "image/png" });
      const clipboardData = new DataTransfer();
      clipboardData.items.add(file);
      document.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true }));
    }""")
    quiet.get_by_role("button", name="Enlarge file").click()
    expect(quiet.locator(".step-large figcaption")).to_have_text("file: 90 x 60, RGBA")


def test_curves_grow_while_another_process_trains(quiet: Page, tmp_path: Path) -> None:
    command = ["train", "mnist", "epochs=3", "samples=30000", "--runs", str(tmp_path)]
    code = f"import sys; sys.argv = ['striate', *{command!r}]; from striate.cli import main; main()"
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL) as training:  # fmt: skip
        while not (tmp_path / "mnist" / "epochs" / "0000.safetensors").is_file():
            assert training.poll() is None
        served = Served(tmp_path)
        try:
            quiet.goto(f"{served.address}#run=mnist&tab=curves")
            seen = set()
            while len(seen) < 3 and (training.poll() is None or "3" not in seen):
                text = quiet.locator(".curve-facts, .charts .soft").first.inner_text()
                if text[:1].isdigit():
                    seen.add(text.split()[0])
                    expect(quiet.locator(".chart canvas").first).to_be_visible()
                    expect(quiet.locator(".charts")).to_contain_text("images a second")
                quiet.wait_for_timeout(100)
            assert {"3"} < seen <= {"1", "2", "3"}  # it grew
            assert training.wait(120) == 0
            expect(quiet.locator("span.badge")).to_be_hidden(timeout=30_000)
        finally:
            served.close()


def test_alarms_are_pinned_to_their_place_and_a_zoom_stays(quiet: Page, tmp_path: Path) -> None:
    run = keep(tmp_path, "over", lenet())
    for epoch in range(8):
        run.log(epoch, {"loss": 1 / (epoch + 1), "val_loss": 1 + abs(epoch - 3) / 4})
        for part in range(10):
            with (run.path / "steps.jsonl").open("a") as file:
                at = epoch + (part + 1) / 10
                row = {"at": at, "step": int(10 * at), "steps": 1, "loss": 1 / (at + 1), "lr": 0.1}
                file.write(json.dumps(row) + "\n")
    served = Served(tmp_path)
    try:
        opened(quiet, served, "over", "&tab=curves")
        expect(quiet.locator(".tab-body .warning")).to_contain_text("Overfitting since epoch 4")
        plot = quiet.locator(".chart .u-over").first
        first = quiet.locator(".chart").first.get_attribute("aria-label") or ""
        orange = """() => {
          const canvas = document.querySelector(".chart canvas");
          const { width, height } = canvas;
          const copy = new OffscreenCanvas(width, height);
          const context = copy.getContext("2d", { willReadFrequently: true });
          context.drawImage(canvas, 0, 0);
          const { data } = context.getImageData(0, 0, width, height);
          const columns = new Map();
          for (let at = 0; at < data.length; at += 4)
            if (data[at] > 150 && data[at + 1] < 130 && data[at + 2] < 60 && data[at + 3] > 150)
              columns.set(at / 4 % width, (columns.get(at / 4 % width) ?? 0) + 1);
          return Math.max(0, ...columns.values());
        }"""
        assert quiet.evaluate(orange) > 30  # an upright line of dashes
        quiet.get_by_label("Smoothing").evaluate(
            "(one) => { one.value = 0.9; one.dispatchEvent(new Event('input')); }"
        )
        expect(quiet.locator(".chart").first).not_to_have_attribute("aria-label", first)
        ticks = "() => document.querySelector('.chart').getAttribute('aria-label')"
        assert "steps" in quiet.evaluate(ticks)
        box = plot.bounding_box()
        assert box is not None
        quiet.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 40)
        quiet.mouse.down()
        quiet.mouse.move(box["x"] + 0.95 * box["width"], box["y"] + 60, steps=5)
        quiet.mouse.up()
        assert quiet.evaluate(orange) < 30  # epoch 4 is outside
        quiet.get_by_label("Light or dark").click()  # drawn anew: the zoom stays
        quiet.wait_for_timeout(300)
        assert quiet.evaluate(orange) < 30
    finally:
        served.close()


def test_the_folder_that_a_run_was_trained_on_is_shown(quiet: Page, tmp_path: Path) -> None:
    import numpy as np
    from PIL import Image

    import striate as st
    from striate.store import samples

    for label, name in enumerate(("dark", "<b>light</b>")):
        (tmp_path / "set" / name.replace("/", "")).mkdir(parents=True)
        for number in range(6):
            cells = np.full((20 + number, 18, 3), 40 + 150 * label + number, np.uint8)
            Image.fromarray(cells).save(tmp_path / "set" / name.replace("/", "") / f"{number}.png")
    (tmp_path / "set" / "dark" / "<i>bad.png").write_bytes(b"no image")
    images = st.data.image_folder(tmp_path / "set", (16, 16))
    run = keep(tmp_path / "runs", "shapes", residual(classes=2), list(images.classes))
    run.write(samples.FACTS, images.facts())
    samples.keep(run.path, {"train": images.train, "test": images.test})
    served = Served(tmp_path / "runs")
    try:
        opened(quiet, served, "shapes", "&tab=data")
        body = quiet.locator(".tab-body")
        expect(body).to_contain_text("12 images were brought to 16")
        expect(body).to_contain_text("Files left out: 1")
        expect(body).to_contain_text("<i>bad.png")
        expect(quiet.locator(".sizes i")).to_have_count(6)
        expect(quiet.locator(".balance tbody tr")).to_have_count(2)
        shown = quiet.locator(".balance tbody .number").all_inner_texts()
        assert sum(map(int, shown)) == 12  # in training, validation and test
        assert quiet.locator(".tab-body b, .files i").count() <= 1  # the name of the data set
    finally:
        served.close()


PAYLOADS = (
    "<script>window.fired=1</script>",
    "<img src=x onerror=window.fired=1>",
    "<svg onload=window.fired=1>",
    '"><script>window.fired=1</script>',
    "'><img src=x onerror=window.fired=1>",
    "</title><script>window.fired=1</script>",
    "</script><script>window.fired=1</script>",
    "javascript:window.fired=1",
    "<iframe srcdoc='<script>parent.fired=1</script>'>",
    "<a href=javascript:window.fired=1 autofocus onfocus=window.fired=1>x</a>",
    "<details open ontoggle=window.fired=1>",
    "<style>@import 'data:text/css,*{}'</style>",
    "<math><mtext><script>window.fired=1</script>",
    "<input autofocus onfocus=window.fired=1>",
    "{{constructor.constructor('window.fired=1')()}}",
    "${window.fired=1}",
    "`;window.fired=1;`",
    "\u202e<script>window.fired=1</script>",
    "<object data=javascript:window.fired=1>",
    "&lt;script&gt;window.fired=1&lt;/script&gt;<body onpageshow=window.fired=1>",
)


def test_names_are_never_code(quiet: Page, tmp_path: Path) -> None:
    names = [PAYLOADS[at % len(PAYLOADS)] for at in range(10)]
    for number, payload in enumerate(PAYLOADS):
        model = lenet()
        model.layers[1].rename(payload)
        classes = [payload, *names[1:]]
        run = keep(tmp_path, f"run-{number}", model, classes)
        odd = "".join(letter for letter in payload if letter not in "/\0")[:80]
        run.path.rename(tmp_path / odd)
    served = Served(tmp_path)
    try:
        for number, run in enumerate(served.subjects.names()):
            opened(quiet, served, "", f"&run={quoted(run)}")
            for tab in ("mistakes", "compare", "learn") if number % 5 == 0 else ():
                quiet.click(f"#tab-{tab}")
                quiet.wait_for_load_state("networkidle")
            quiet.locator("#column-2 canvas").click(position={"x": 9, "y": 9})
            expect(quiet.locator("#unit-total")).to_be_visible()
            assert quiet.evaluate("window.fired") is None
            assert quiet.locator("#output script, #network script, #drawer script").count() == 0
    finally:
        served.close()


def quoted(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="")


def test_the_page_is_whole_on_a_phone_and_in_the_dark(quiet: Page, served: Served) -> None:
    quiet.set_viewport_size({"width": 390, "height": 844})
    quiet.emulate_media(color_scheme="dark", reduced_motion="reduce")
    opened(quiet, served, "lenet")
    wide: Any = quiet.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
    ground = quiet.evaluate("getComputedStyle(document.body).backgroundColor")
    assert json.loads(ground.replace("rgb(", "[").replace(")", "]"))[0] < 40


def test_every_tab_fits_a_phone(quiet: Page, served: Served) -> None:
    quiet.set_viewport_size({"width": 390, "height": 844})
    opened(quiet, served, "lenet", "&sample=3&unit=3.4.6.conv2d_1&with=tutorial")
    for tab in TABS:
        quiet.click(f"#tab-{tab}")
        quiet.wait_for_timeout(800)
        wide, room = quiet.evaluate(
            "(({ scrollWidth, clientWidth }) => [scrollWidth, clientWidth])"
            "(document.querySelector('.tab-body'))"
        )
        assert wide <= room, tab


def test_every_control_has_a_name(quiet: Page, served: Served) -> None:
    opened(quiet, served, "lenet", "&unit=3.4.6.conv2d_1")
    nameless = quiet.evaluate(
        """() => [...document.querySelectorAll("button, select, input, canvas, [tabindex='0']")]
          .filter((one) => one.offsetParent && !one.ariaHidden
            && !one.parentElement.closest("[role=img]")
            && !(one.ariaLabel || one.title || one.innerText?.trim() || one.labels?.length
              || one.getAttribute("aria-labelledby")))
          .map((one) => one.outerHTML.slice(0, 120))"""
    )
    assert nameless == []
