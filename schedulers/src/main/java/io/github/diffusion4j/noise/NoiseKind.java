package io.github.diffusion4j.noise;

import java.util.Arrays;
import java.util.function.LongFunction;
import java.util.stream.Collectors;

/** The noise streams that a seed can mean; a picture is repeated by seed and kind together. */
public enum NoiseKind {
  /** torch with a generator on the CPU: the usual one of scripts that want to be repeatable. */
  TORCH_CPU("torch-cpu", TorchNoise::new),
  /** torch with a generator on a CUDA device. */
  TORCH_CUDA("torch-cuda", PhiloxNoise::new),
  /** NumPy's legacy RandomState. */
  NUMPY("numpy", NumpyNoise::new),
  /** NumPy's default_rng. */
  NUMPY_PCG64("numpy-pcg64", Pcg64Noise::new);

  private final String label;
  private final LongFunction<NoiseSource> factory;

  NoiseKind(String label, LongFunction<NoiseSource> factory) {
    this.label = label;
    this.factory = factory;
  }

  /**
   * A new stream.
   *
   * @param seed the seed; what range is allowed depends on the kind
   * @return the stream from its beginning
   * @throws IllegalArgumentException if the reference allows no such seed
   */
  public NoiseSource create(long seed) {
    return factory.apply(seed);
  }

  /**
   * The name on a command line and in a picture's metadata.
   *
   * @return for example {@code torch-cpu}
   */
  public String label() {
    return label;
  }

  /**
   * The kind of a name.
   *
   * @param label a {@link #label()}, in any case
   * @return the kind
   * @throws IllegalArgumentException if there is none, naming those there are
   */
  public static NoiseKind of(String label) {
    return Arrays.stream(values())
        .filter(kind -> kind.label.equalsIgnoreCase(label))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "noise kind must be one of "
                        + Arrays.stream(values())
                            .map(NoiseKind::label)
                            .collect(Collectors.joining(", "))
                        + ", got "
                        + label));
  }

  @Override
  public String toString() {
    return label;
  }
}
