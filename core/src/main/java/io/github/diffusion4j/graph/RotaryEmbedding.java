package io.github.diffusion4j.graph;

import io.github.diffusion4j.onnx.ElementType;
import java.util.ArrayList;
import java.util.List;

/**
 * Turns pairs of neighbouring values by angles that grow with a token's place (Su et al. 2021,
 * arXiv 2104.09864).
 *
 * @param cosines [tokens, 1, head width], each twice
 * @param sines likewise
 */
record RotaryEmbedding(Value cosines, Value sines) {

  private static final double BASE = 10_000;

  /**
   * For places along several axes, each of which turns a part of a head's width. Angles are
   * computed in 64 bits, as the reference does.
   *
   * @param places int64 [tokens, axes]
   * @param widths of each axis, even
   * @return cosines and sines in the precision of the computation
   */
  static RotaryEmbedding of(Value places, List<Integer> widths) {
    Graph graph = places.graph();
    List<Value> angles = new ArrayList<>();
    for (int axis = 0; axis < widths.size(); axis++) {
      int pairs = widths.get(axis) / 2;
      double[] frequencies = new double[pairs];
      for (int i = 0; i < pairs; i++) {
        frequencies[i] = 1 / Math.pow(BASE, 2.0 * i / widths.get(axis));
      }
      Value place = places.slice(1, axis, axis + 1L).cast(ElementType.FLOAT64);
      angles.add(place.times(graph.doubles(frequencies).unsqueeze(0)));
    }
    Value all = Value.concat(-1, angles.toArray(Value[]::new));
    return new RotaryEmbedding(twice(all.map("Cos")), twice(all.map("Sin")));
  }

  private static Value twice(Value x) {
    Graph graph = x.graph();
    Value single = x.cast(graph.options().type()).unsqueeze(2);
    return Value.concat(-1, single, single)
        .reshape(0, -1)
        .knownAs(x.dim(0), 2 * x.dim(1))
        .unsqueeze(1);
  }

  /** Turns [batch, tokens, heads, head width]. */
  Value apply(Value x) {
    long width = x.dim(3);
    Value pairs = x.reshape(0, 0, 0, width / 2, 2);
    Value second = pairs.slice(4, 1, 2).times(-1);
    Value turned = Value.concat(-1, second, pairs.slice(4, 0, 1)).reshape(0, 0, 0, width);
    return x.times(cosines).plus(turned.times(sines));
  }
}
