package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.Linear.linear;

import java.util.List;

/**
 * Shifts, scales and gates that a diffusion transformer takes from its conditioning for each block
 * (Peebles and Xie 2022, arXiv 2212.09748, adaptive layer normalization).
 *
 * @param parts [batch, 1, width] each, in the order of the layer that gives them
 */
record Modulation(List<Value> parts) {

  private static final double EPSILON = 1e-6;

  Modulation {
    parts = List.copyOf(parts);
  }

  /** The parts that a module's layer {@code linear} makes of a conditioning [batch, width]. */
  static Modulation of(Scope module, Value conditioning, int count) {
    long width = conditioning.dim(1);
    Value all =
        linear(module.at("linear"), Activation.SILU.apply(conditioning), count * width)
            .unsqueeze(1);
    return new Modulation(all.split(-1, count));
  }

  /** A normalized value, scaled and shifted. */
  Value normalize(Value x, int shift, int scale) {
    Value normal = Normalization.layerNorm(x, EPSILON);
    return normal.times(parts.get(scale).plus(1)).plus(parts.get(shift));
  }

  /** A value plus a change through a gate. */
  Value add(Value x, Value change, int gate) {
    return x.plus(change.times(parts.get(gate)));
  }

  /** The last normalization of a transformer: the scale comes first. */
  static Value last(Scope module, Value x, Value conditioning) {
    return of(module, conditioning, 2).normalize(x, 1, 0);
  }
}
