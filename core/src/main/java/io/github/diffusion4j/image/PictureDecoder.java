package io.github.diffusion4j.image;

import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.WritableRaster;
import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.Iterator;
import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.MemoryCacheImageInputStream;

/** Decodes files that nobody vouches for: size first, every failure an {@link IOException}. */
final class PictureDecoder {

  private PictureDecoder() {}

  static Raster8 decode(byte[] file, long maxPixels) throws IOException {
    if (Orientation.isJpeg(file)) {
      requireEnd(file);
    }
    try (MemoryCacheImageInputStream in =
        new MemoryCacheImageInputStream(new ByteArrayInputStream(file))) {
      Iterator<ImageReader> readers = ImageIO.getImageReaders(in);
      if (!readers.hasNext()) {
        throw new IOException("not a picture: neither PNG, JPEG, GIF, BMP nor TIFF");
      }
      ImageReader reader = readers.next();
      try {
        reader.setInput(in, true, true);
        BufferedImage image = decode(reader, maxPixels);
        return Raster8.rgb(
            isGrey16(file) && image.getRaster().getNumBands() > 1 ? opaque(image) : image);
      } catch (RuntimeException e) {
        throw new IOException("the picture is corrupt: " + e, e);
      } finally {
        reader.dispose();
      }
    }
  }

  private static BufferedImage decode(ImageReader reader, long maxPixels) throws IOException {
    int width = reader.getWidth(0);
    int height = reader.getHeight(0);
    if (width < 1 || height < 1 || (long) width * height > maxPixels) {
      throw new IOException(
          ("the picture has " + width + "x" + height + " pixels; the limit is ")
              + (maxPixels + " pixels"));
    }
    return reader.read(0);
  }

  /** Whether a file is a PNG of colour type 0 with 16 bits a pixel. */
  private static boolean isGrey16(byte[] file) {
    return Orientation.isPng(file) && file.length > 25 && file[24] == 16 && file[25] == 0;
  }

  /** Without the alpha that the reader made of a transparent level: such grey is clipped too. */
  private static BufferedImage opaque(BufferedImage image) {
    WritableRaster grey =
        image
            .getRaster()
            .createWritableChild(0, 0, image.getWidth(), image.getHeight(), 0, 0, new int[] {0});
    ColorModel model = new BufferedImage(1, 1, BufferedImage.TYPE_USHORT_GRAY).getColorModel();
    return new BufferedImage(model, grey, false, null);
  }

  /** The reader fills up a truncated file with grey and only warns. */
  private static void requireEnd(byte[] file) throws IOException {
    ByteArrayInputStream in = new ByteArrayInputStream(file);
    JpegSegment.read(in);
    for (int at = file.length - in.available(); at + 1 < file.length; at++) {
      if (file[at] == (byte) 0xff && file[at + 1] == (byte) 0xd9) {
        return;
      }
    }
    throw new EOFException("the JPEG file is truncated: it has no end marker");
  }
}
