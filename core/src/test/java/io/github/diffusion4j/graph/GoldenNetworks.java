package io.github.diffusion4j.graph;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.onnx.OrtBinding;
import io.github.diffusion4j.onnx.OrtRuntime;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** What tests share that compare built networks with golden ones. */
final class GoldenNetworks {

  static final OrtRuntime RUNTIME =
      OrtRuntime.of(RuntimeOptions.builder().intraOpThreads(1).build());

  private GoldenNetworks() {}

  /** Compares within a share of the largest value, or of 1. */
  static void assertClose(float[] expected, float[] found, float tolerance, String name) {
    float largest = 1;
    for (float value : expected) {
      largest = Math.max(largest, Math.abs(value));
    }
    assertArrayEquals(expected, found, largest * tolerance, name);
  }

  /** Weights that are open already. */
  static WeightSource source(Path file, Weights weights) {
    return WeightSource.of(file, open -> weights);
  }

  static int elements(long[] shape) {
    int elements = 1;
    for (long size : shape) {
      elements *= (int) size;
    }
    return elements;
  }

  static float[] gaussians(Random random, int count) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian();
    }
    return values;
  }

  /** Runs a network and copies its outputs. */
  static Map<String, float[]> outputs(OrtBinding binding, Set<String> names) {
    Map<String, float[]> values = new LinkedHashMap<>();
    binding.fetch(names).forEach((name, output) -> values.put(name, output.values()));
    return values;
  }
}
