package io.github.diffusion4j.bench;

import io.github.diffusion4j.image.Png;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import javax.imageio.ImageIO;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** Encoding a picture as PNG in memory, beside the JDK's own encoder. */
@State(Scope.Thread)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
public class PngBenchmark extends Measured {

  private static final long SEED = 42;
  private static final double GRAIN = 3;

  /** Width and height in pixels. */
  @Param({"128", "512"})
  public int size;

  private BufferedImage picture;

  /** For JMH. */
  public PngBenchmark() {}

  /** Paints soft waves with a grain of a few levels: neither flat nor noise. */
  @Setup
  public void paint() {
    picture = new BufferedImage(size, size, BufferedImage.TYPE_3BYTE_BGR);
    Random random = new Random(SEED);
    for (int y = 0; y < size; y++) {
      for (int x = 0; x < size; x++) {
        int rgb = 0;
        for (int channel = 1; channel <= 3; channel++) {
          double wave = Math.sin(channel * 5.0 * x / size) * Math.cos(channel * 3.0 * y / size);
          double level = 128 + 100 * wave + GRAIN * random.nextGaussian();
          rgb = rgb << 8 | (int) Math.max(0, Math.min(255, level));
        }
        picture.setRGB(x, y, rgb);
      }
    }
  }

  /**
   * This library's encoder.
   *
   * @return the file's bytes
   * @throws IOException never
   */
  @Benchmark
  public byte[] encode() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Png.write(picture, Map.of(Png.PARAMETERS, "soft waves"), out);
    return out.toByteArray();
  }

  /**
   * The JDK's encoder.
   *
   * @return the file's bytes
   * @throws IOException never
   */
  @Benchmark
  public byte[] imageIo() throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    if (!ImageIO.write(picture, "png", out)) {
      throw new IOException("this JDK has no PNG encoder");
    }
    return out.toByteArray();
  }
}
