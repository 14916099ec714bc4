package io.github.diffusion4j.noise;

import java.util.List;

/** Splits each tensor among one source for each image. */
final class PerImageNoise implements NoiseSource {

  private final List<NoiseSource> sources;
  private float[] image = new float[0];

  PerImageNoise(List<NoiseSource> sources) {
    if (sources.isEmpty()) {
      throw new IllegalArgumentException("sources must hold at least one source, got none");
    }
    this.sources = sources;
  }

  @Override
  public void fill(float[] dst) {
    int size = dst.length / sources.size();
    if (size * sources.size() != dst.length) {
      throw new IllegalArgumentException(
          "dst must divide among " + sources.size() + " images, got " + dst.length + " values");
    }
    if (image.length != size) {
      image = new float[size];
    }
    for (int i = 0; i < sources.size(); i++) {
      sources.get(i).fill(image);
      System.arraycopy(image, 0, dst, i * size, size);
    }
  }
}
