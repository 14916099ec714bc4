"""Writes the fixtures of this folder. See README.md."""

import os
import struct
import zlib

import numpy as np
import PIL
from PIL import Image, ImageFilter, ImageOps, PngImagePlugin
from safetensors.numpy import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
INPUTS = os.path.join(HERE, "inputs")
rng = np.random.default_rng(20240611)


def png(name, depth, colour, samples, chunks=(), interlace=0):
    """A PNG of any depth: samples [H, W, channels], filter 0."""
    height, width, channels = samples.shape
    rows = b""
    for row in samples:
        bits = "".join(format(int(v), f"0{depth}b") for v in row.reshape(-1))
        bits += "0" * (-len(bits) % 8)
        rows += b"\0" + bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    data = b"\x89PNG\r\n\x1a\n"
    data += chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))
    for kind, content in chunks:
        data += chunk(kind, content)
    data += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    with open(os.path.join(INPUTS, name), "wb") as f:
        f.write(data)


def scene(width, height):
    """Smooth colours, hard edges and some noise."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    red = 128 + 127 * np.sin(x / 5.0)
    green = 255.0 * ((x // 6 + y // 4) % 2)
    blue = 255.0 * y / height
    noise = rng.normal(0, 12, (height, width, 3))
    return np.clip(np.stack([red, green, blue], -1) + noise, 0, 255).astype(np.uint8)


def save(image, name, **options):
    image.save(os.path.join(INPUTS, name), **options)


source = scene(37, 29)
save(Image.fromarray(source), "source.png")
grey = np.array(Image.fromarray(source).convert("L"))
save(Image.fromarray(grey), "grey.png")

# Resizing, of colour and of grey.
expected = {}
filters = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
sizes = [(64, 64), (16, 24), (37, 40), (20, 29), (1, 1), (5, 90), (37, 29), (111, 7)]
for name, method in filters.items():
    for width, height in sizes:
        for kind, pixels in (("source", source), ("grey", grey)):
            done = Image.fromarray(pixels).resize((width, height), method)
            expected[f"{kind}.{name}.{width}x{height}"] = np.array(done)
tall = scene(2, 300)
save(Image.fromarray(tall), "tall.png")
for name, method in filters.items():
    expected[f"tall.{name}.5x40"] = np.array(Image.fromarray(tall).resize((5, 40), method))
save_file(expected, os.path.join(HERE, "resize.safetensors"))

# Masks.
masks = {"source.grey": grey}
levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
save(Image.fromarray(levels), "levels.png")
unit = levels.astype(np.float32) / 255.0
unit[unit < 0.5] = 0
unit[unit >= 0.5] = 1
masks["levels.binary"] = unit
for radius in (0, 0.5, 1, 2.5, 4, 17, 60):
    blur = ImageFilter.GaussianBlur(radius)
    masks[f"grey.blur.{radius}"] = np.array(Image.fromarray(grey).filter(blur))
    masks[f"source.blur.{radius}"] = np.array(Image.fromarray(source).filter(blur))
for size in (3, 7):
    masks[f"grey.max.{size}"] = np.array(Image.fromarray(grey).filter(ImageFilter.MaxFilter(size)))
save_file(masks, os.path.join(HERE, "masks.safetensors"))

# Every kind of file: what exif_transpose and convert("RGB") make of it.
small = scene(11, 7)
alpha = rng.integers(0, 256, (7, 11, 1), dtype=np.uint8)
wide = lambda n: rng.integers(0, 65536, (7, 11, n))
png("rgba.png", 8, 6, np.concatenate([small, alpha], -1))
png("grey-alpha.png", 8, 4, np.concatenate([small[..., :1], alpha], -1))
png("rgb16.png", 16, 2, wide(3))
png("rgba16.png", 16, 6, wide(4))
png("grey16.png", 16, 0, wide(1) // 200)
png("grey16-transparent.png", 16, 0, wide(1) // 200, [(b"tRNS", b"\0\x10")])
png("grey16-alpha.png", 16, 4, wide(2))
for depth in (1, 2, 4):
    png(f"grey{depth}.png", depth, 0, rng.integers(0, 2**depth, (7, 11, 1)))
    palette = rng.integers(0, 256, (2**depth, 3), dtype=np.uint8).tobytes()
    png(f"palette{depth}.png", depth, 3, rng.integers(0, 2**depth, (7, 11, 1)), [(b"PLTE", palette)])
palette = rng.integers(0, 256, (200, 3), dtype=np.uint8).tobytes()
indices = rng.integers(0, 200, (7, 11, 1))
png("palette8.png", 8, 3, indices, [(b"PLTE", palette)])
png("palette8-alpha.png", 8, 3, indices, [(b"PLTE", palette), (b"tRNS", bytes(range(200)))])
png("rgb-transparent.png", 8, 2, small, [(b"tRNS", struct.pack(">HHH", *small[0, 0]))])
png("grey-transparent.png", 8, 0, small[..., :1], [(b"tRNS", struct.pack(">H", small[0, 0, 0]))])
png("gamma.png", 8, 2, small, [(b"gAMA", struct.pack(">I", 100000))])
png("grey-gamma.png", 8, 0, small[..., :1], [(b"gAMA", struct.pack(">I", 100000))])
exif = Image.Exif()
exif[0x0112] = 6
save(Image.fromarray(small), "exif.png", exif=exif.tobytes())
for orientation in range(1, 9):
    exif[0x0112] = orientation
    save(Image.fromarray(scene(24, 16)), f"orientation{orientation}.jpg", quality=92, exif=exif)
info = PngImagePlugin.PngInfo()
exif[0x0112] = 3
raw = (b"Exif\0\0" + exif.tobytes().removeprefix(b"Exif\0\0")).hex()
info.add_text("Raw profile type exif", f"\nexif\n{len(raw) // 2:8d}\n{raw[:72]}\n{raw[72:]}", zip=True)
save(Image.fromarray(small), "raw-profile.png", pnginfo=info)
info = PngImagePlugin.PngInfo()
info.add_itxt("XML:com.adobe.xmp", '<x:xmpmeta><rdf:Description tiff:Orientation="8"/></x:xmpmeta>')
save(Image.fromarray(small), "xmp.png", pnginfo=info)
photo = Image.fromarray(scene(45, 33))
save(photo, "photo444.jpg", quality=90, subsampling=0)
save(photo, "photo420.jpg", quality=80, subsampling=2)
save(photo, "photo422.jpg", quality=80, subsampling=1)
save(photo, "progressive.jpg", quality=80, progressive=True)
save(photo.convert("L"), "grey.jpg", quality=85)
save(photo.convert("CMYK"), "cmyk.jpg", quality=95)
save(photo, "plain.bmp")
save(photo.convert("P"), "plain.gif")

files = {}
for name in sorted(os.listdir(INPUTS)):
    image = ImageOps.exif_transpose(Image.open(os.path.join(INPUTS, name)))
    files[name] = np.array(image.convert("RGB"))
save_file(files, os.path.join(HERE, "files.safetensors"))

# Levels and tensors.
x = np.concatenate(
    [
        rng.normal(0, 0.7, 4000),
        (np.arange(256) / 255 * 2 - 1),
        ((np.arange(256) + 0.5) / 255 * 2 - 1),
        [-np.inf, np.inf, -1, 1, 0, -0.0, 1e-30, -1.0000001, 1.0000001],
    ]
).astype(np.float32)
x = x[: len(x) // 3 * 3]
unit = np.clip(x / np.float32(2) + np.float32(0.5), 0, 1)
rounded = (unit * 255).round().astype(np.uint8)
back = np.float32(2) * (np.arange(256, dtype=np.uint8).astype(np.float32) / np.float32(255)) - np.float32(1)
save_file({"decoded": x, "levels": rounded, "normalised": back}, os.path.join(HERE, "tensors.safetensors"))

# PNG files with texts as other programs write them.
text = "a café, 猫\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1"
info = PngImagePlugin.PngInfo()
info.add_text("parameters", "latin café\nSteps: 20, Seed: 1, Size: 11x7")
info.add_text("zipped", "long " * 400, zip=True)
info.add_itxt("unicode", text, lang="en", tkey="übersetzt")
info.add_itxt("unicode zipped", text * 50, zip=True)
Image.fromarray(small).save(os.path.join(HERE, "texts.png"), pnginfo=info)
print("Pillow", PIL.__version__, "numpy", np.__version__)
