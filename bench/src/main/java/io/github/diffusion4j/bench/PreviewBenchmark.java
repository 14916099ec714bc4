package io.github.diffusion4j.bench;

import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.LatentColors;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.image.Images;
import io.github.diffusion4j.image.Png;
import io.github.diffusion4j.image.Resampling;
import io.github.diffusion4j.noise.TorchNoise;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Map;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** One preview without a model: latents to colours, and on to a PNG file of the picture's size. */
@State(Scope.Thread)
public class PreviewBenchmark extends Measured {

  private static final long SEED = 42;
  private static final int FACTOR = 8;

  /** Latents of one image. */
  @Param({"4x64x64", "4x128x128", "16x128x128"})
  public String shape;

  private LatentShape latents;
  private LatentColors colors;
  private float[] values;

  /** For JMH. */
  public PreviewBenchmark() {}

  /** Draws the latents. */
  @Setup
  public void draw() {
    latents = Shapes.parse(shape);
    colors =
        latents.channels() == LatentColors.STABLE_DIFFUSION_3.channels()
            ? LatentColors.STABLE_DIFFUSION_3
            : LatentColors.STABLE_DIFFUSION;
    values = new float[latents.total()];
    new TorchNoise(SEED).fill(values);
  }

  /**
   * The numbers.
   *
   * @return one pixel for each latent cell
   */
  @Benchmark
  public ImageTensor colors() {
    return colors.preview(values, latents);
  }

  /**
   * The file's bytes, as the command line writes them.
   *
   * @return a PNG eight times as wide and high as the latents
   * @throws IOException never
   */
  @Benchmark
  public byte[] png() throws IOException {
    ImageTensor image = colors();
    BufferedImage small = Images.fromTensor(image.values(), image.width(), image.height()).get(0);
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    Png.write(
        Resampling.BICUBIC.resize(small, FACTOR * image.width(), FACTOR * image.height()),
        Map.of(),
        out);
    return out.toByteArray();
  }
}
