package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.Linear.linear;

import io.github.diffusion4j.onnx.ElementType;

/**
 * Sines and cosines of numbers at geometrically spaced frequencies (Vaswani et al. 2017, arXiv
 * 1706.03762), and the two layers after them.
 *
 * @param width values for each number, even: half of them sines, half cosines
 * @param cosineFirst whether the cosines come first ({@code flip_sin_to_cos})
 * @param frequencyShift subtracted from the number of frequencies where the exponent is divided
 */
public record TimestepEmbedding(int width, boolean cosineFirst, double frequencyShift) {

  private static final int WIDEST = 1 << 20;
  private static final double LONGEST_PERIOD = 10_000;

  /** Checks the width. */
  public TimestepEmbedding {
    if (width < 2 || width % 2 != 0 || width / 2.0 <= frequencyShift || width > WIDEST) {
      throw new IllegalArgumentException(
          "width must be even, over twice the frequency shift and at most %d, got %d"
              .formatted(WIDEST, width));
    }
  }

  /**
   * Sines and cosines.
   *
   * @param numbers [count], of any float type; computed in 32 bits
   * @return [count, width] in the precision of the computation
   */
  public Value sinusoids(Value numbers) {
    Graph graph = numbers.graph();
    int half = width / 2;
    float[] frequencies = new float[half];
    for (int i = 0; i < half; i++) {
      float exponent = (float) (-Math.log(LONGEST_PERIOD) * i / (half - frequencyShift));
      frequencies[i] = (float) Math.exp(exponent);
    }
    Value angles =
        numbers
            .cast(ElementType.FLOAT32)
            .unsqueeze(1)
            .times(graph.floats(frequencies).unsqueeze(0));
    Value sines = angles.map("Sin");
    Value cosines = angles.map("Cos");
    return (cosineFirst ? Value.concat(-1, cosines, sines) : Value.concat(-1, sines, cosines))
        .cast(graph.options().type());
  }

  /**
   * A layer, an activation and a layer.
   *
   * @param module has {@code linear_1} and {@code linear_2}
   * @param x [count, in]
   * @param out width of both layers' results
   * @return [count, out]
   */
  public static Value layers(Scope module, Value x, long out) {
    Value hidden = Activation.SILU.apply(linear(module.at("linear_1"), x, out));
    return linear(module.at("linear_2"), hidden, out);
  }
}
