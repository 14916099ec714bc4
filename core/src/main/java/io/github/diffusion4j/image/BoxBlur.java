package io.github.diffusion4j.image;

/**
 * A Gaussian blur as three box blurs whose radius has a fraction (Gwosdek, Grewenig, Bruhn,
 * Weickert 2011), in Pillow's fixed point and order: all passes along rows, then all along columns;
 * edges repeat.
 */
final class BoxBlur {

  private static final int PASSES = 3;

  private final int radius;
  private final int full;
  private final int edge;

  private BoxBlur(float boxRadius) {
    this.radius = (int) boxRadius;
    this.full = (int) ((1 << 24) / (boxRadius * 2 + 1));
    this.edge = ((1 << 24) - (radius * 2 + 1) * full) / 2;
  }

  static Raster8 gaussian(Raster8 from, float deviation) {
    byte[] levels = from.levels().clone();
    if (deviation > 0) {
      BoxBlur box = new BoxBlur(boxRadius(deviation));
      int channels = from.channels();
      int row = from.width() * channels;
      for (int y = 0; y < from.height(); y++) {
        for (int channel = 0; channel < channels; channel++) {
          box.line(levels, y * row + channel, channels, from.width());
        }
      }
      for (int column = 0; column < row; column++) {
        box.line(levels, column, row, from.height());
      }
    }
    return new Raster8(from.width(), from.height(), from.channels(), levels);
  }

  private static float boxRadius(float deviation) {
    float variance = deviation * deviation / PASSES;
    float length = (float) Math.sqrt(12.0 * variance + 1.0);
    float whole = (float) Math.floor((length - 1.0) / 2.0);
    float fraction = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance);
    fraction /= 6 * (variance - (whole + 1) * (whole + 1));
    return whole + fraction;
  }

  private void line(byte[] levels, int start, int step, int count) {
    byte[] line = new byte[count];
    for (int pass = 0; pass < PASSES; pass++) {
      for (int i = 0; i < count; i++) {
        line[i] = levels[start + i * step];
      }
      int sum = 0;
      for (int i = -radius - 1; i < radius; i++) {
        sum += clamped(line, i);
      }
      for (int i = 0; i < count; i++) {
        int before = clamped(line, i - radius - 1);
        sum += clamped(line, i + radius) - before;
        int weighted = sum * full + (before + clamped(line, i + radius + 1)) * edge;
        levels[start + i * step] = (byte) (weighted + (1 << 23) >>> 24);
      }
    }
  }

  private static int clamped(byte[] line, int index) {
    return line[Math.max(0, Math.min(line.length - 1, index))] & 0xff;
  }
}
