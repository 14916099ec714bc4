package io.github.diffusion4j.bench;

import io.github.diffusion4j.CancelToken;
import io.github.diffusion4j.ImageTensor;
import io.github.diffusion4j.LatentShape;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.VaeTiling;
import io.github.diffusion4j.family.Autoencoder;
import io.github.diffusion4j.image.Resampling;
import io.github.diffusion4j.noise.TorchNoise;
import io.github.diffusion4j.task.Pictures;
import java.io.IOException;
import java.nio.file.Path;

/**
 * Decodes one picture by a model's autoencoder, whole or tile by tile, and prints what the process
 * has taken at most; or both, and how far the two are apart. A program of its own, not a JMH
 * benchmark: the peak of memory belongs to a process.
 */
public final class Decoding {

  private static final long SEED = 7;

  private Decoding() {}

  /**
   * Measures.
   *
   * @param args MODEL (folder with vae_decoder) SIZE (pixels) TILE (pixels, {@code own} or {@code
   *     off}) CUT|FULL, then {@code noise} (normal latents) or a picture (its latents), then
   *     perhaps {@code compare}: decode whole as well
   * @throws IOException if a file cannot be read
   */
  public static void main(String... args) throws IOException {
    if (args.length < 5 || args.length > 6) {
      System.err.println("usage: MODEL SIZE TILE|own|off CUT|FULL noise|PICTURE [compare]");
      System.exit(2);
    }
    Path model = Models.folder(args[0]);
    int size = Integer.parseInt(args[1]);
    VaeTiling tiling = tiling(args[2]).withEdges(VaeTiling.EdgeTiles.valueOf(args[3]));
    LatentShape shape = shape(model, size);
    float[] latents = args[4].equals("noise") ? noise(shape) : encoded(model, size, args[4]);
    long start = System.nanoTime();
    ImageTensor tiled = decode(model, tiling, latents, shape);
    double seconds = (System.nanoTime() - start) / 1e9;
    System.out.printf(
        "%d x %d, tiles %s %s: %.1f s with opening, peak %.0f MiB%n",
        size, size, args[2], args[3], seconds, ProcessMemory.now().peakMebibytes());
    if (args.length == 6) {
      System.out.println(difference(decode(model, VaeTiling.OFF, latents, shape), tiled));
    }
  }

  private static VaeTiling tiling(String tile) {
    return switch (tile) {
      case "off" -> VaeTiling.OFF;
      case "own" -> VaeTiling.ON;
      default -> VaeTiling.ON.withTileSize(Integer.parseInt(tile));
    };
  }

  private static Autoencoder open(Path model, VaeTiling tiling) throws IOException {
    return Autoencoder.load(model, RuntimeOptions.builder().vaeTiling(tiling).build());
  }

  private static LatentShape shape(Path model, int size) throws IOException {
    try (Autoencoder codec = open(model, VaeTiling.OFF)) {
      int cells = size / codec.factor();
      return new LatentShape(1, codec.latentChannels(), cells, cells);
    }
  }

  private static float[] noise(LatentShape shape) {
    float[] latents = new float[shape.total()];
    new TorchNoise(SEED).fill(latents);
    return latents;
  }

  private static float[] encoded(Path model, int size, String picture) throws IOException {
    try (Autoencoder codec = open(model, VaeTiling.OFF)) {
      ImageTensor image = Pictures.read(Path.of(picture)).tensor(size, size, Resampling.LANCZOS);
      var distribution = codec.encode(image, new CancelToken());
      float[] latents = distribution.mode();
      codec.scale(latents, distribution.shape());
      return latents;
    }
  }

  private static ImageTensor decode(
      Path model, VaeTiling tiling, float[] latents, LatentShape shape) throws IOException {
    try (Autoencoder codec = open(model, tiling)) {
      return codec.decode(latents, shape, new CancelToken());
    }
  }

  private static String difference(ImageTensor whole, ImageTensor tiled) {
    double squares = 0;
    double most = 0;
    float[] a = whole.values();
    float[] b = tiled.values();
    for (int i = 0; i < a.length; i++) {
      double level = 127.5 * Math.abs(clamped(a[i]) - clamped(b[i]));
      squares += level * level;
      most = Math.max(most, level);
    }
    double rms = Math.sqrt(squares / a.length);
    return "against the whole decode: RMS %.2f, at most %.1f of 255 levels, PSNR %.1f dB"
        .formatted(rms, most, 20 * Math.log10(255 / rms));
  }

  private static double clamped(float value) {
    return Math.max(-1, Math.min(1, value));
  }
}
