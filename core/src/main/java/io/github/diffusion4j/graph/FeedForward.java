package io.github.diffusion4j.graph;

import static io.github.diffusion4j.graph.Linear.linear;

import io.github.diffusion4j.ModelFormatException;
import java.util.List;

/** The layers of a transformer block that work on each token by itself, as diffusers names them. */
public final class FeedForward {

  private static final int GROWTH = 4;

  private FeedForward() {}

  /**
   * A layer four times as wide, an activation, and a layer back.
   *
   * @param module has {@code net.0.proj} and {@code net.2}
   * @param x [batch, tokens, width]
   * @param activation {@code geglu}, {@code gelu} or {@code gelu-approximate}
   * @return the same shape
   */
  public static Value feedForward(Scope module, Value x, String activation) {
    return linear(module.at("net.2"), hidden(module, x, activation), x.dim(-1));
  }

  /**
   * The first layer and the activation.
   *
   * @param module has {@code net.0.proj}
   * @param x [..., width]
   * @param activation {@code geglu}, {@code gelu} or {@code gelu-approximate}
   * @return [..., 4 · width]
   */
  static Value hidden(Scope module, Value x, String activation) {
    long width = x.dim(-1);
    Scope in = module.at("net.0.proj");
    return switch (activation) {
      case "geglu" -> gated(halves(in, x, 2 * GROWTH * width));
      case "gelu", "gelu-approximate" ->
          Activation.named(activation).apply(linear(in, x, GROWTH * width));
      default ->
          throw new ModelFormatException(
              "%s: activation \"%s\" is not known, expected geglu, gelu or gelu-approximate"
                  .formatted(module.path(), activation));
    };
  }

  private static List<Value> halves(Scope module, Value x, long width) {
    return x.rank() == 2
        ? Linear.linearParts(module, x, width, 2)
        : linear(module, x, width).split(-1, 2);
  }

  /** GEGLU: one half times the GELU of the other (Shazeer 2020, arXiv 2002.05202). */
  private static Value gated(List<Value> halves) {
    return halves.get(0).times(Activation.GELU.apply(halves.get(1)));
  }
}
