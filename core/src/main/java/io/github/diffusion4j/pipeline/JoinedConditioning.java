package io.github.diffusion4j.pipeline;

import io.github.diffusion4j.Conditioning;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** Puts the branches of two conditionings one after the other. */
final class JoinedConditioning {

  private JoinedConditioning() {}

  /**
   * Joins branches; where one has embeddings of more tokens, the other is filled up.
   *
   * @param empty the conditioning of prompts without text, one branch; asked for where it is needed
   */
  static Conditioning of(Conditioning first, Conditioning second, Supplier<Conditioning> empty) {
    List<Conditioning.Input> inputs = new ArrayList<>();
    for (Conditioning.Input input : first.inputs()) {
      Conditioning.Input other = second.input(input.name());
      if (input.shared()) {
        inputs.add(input);
        continue;
      }
      int most = Math.max(tokens(input), tokens(other));
      inputs.add(rows(pad(input, most, empty), pad(other, most, empty)));
    }
    return new Conditioning(first.branches() + second.branches(), first.batch(), inputs);
  }

  /** Tokens of an input of token embeddings; 0 for other inputs. */
  private static int tokens(Conditioning.Input input) {
    return input.rowShape().size() == 2 ? input.rowShape().get(0) : 0;
  }

  private static Conditioning.Input rows(Conditioning.Input first, Conditioning.Input second) {
    float[] a = first.values();
    float[] b = second.values();
    float[] values = java.util.Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, values, a.length, b.length);
    return new Conditioning.Input(first.name(), values, first.rowShape());
  }

  private static Conditioning.Input pad(
      Conditioning.Input input, int tokens, Supplier<Conditioning> empty) {
    if (tokens(input) == tokens) {
      return input;
    }
    Conditioning.Input chunk = empty.get().input(input.name());
    int width = input.rowShape().get(1);
    int own = input.rowElements();
    int row = tokens * width;
    int rows = input.values().length / own;
    float[] values = new float[rows * row];
    for (int i = 0; i < rows; i++) {
      System.arraycopy(input.values(), i * own, values, i * row, own);
      for (int at = own; at < row; at += chunk.rowElements()) {
        System.arraycopy(chunk.values(), 0, values, i * row + at, chunk.rowElements());
      }
    }
    return new Conditioning.Input(input.name(), values, List.of(tokens, width));
  }
}
