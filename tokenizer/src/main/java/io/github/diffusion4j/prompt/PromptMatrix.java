package io.github.diffusion4j.prompt;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;

/**
 * All prompts of a matrix, as the web UI's script of that name: of {@code a city|at night|in rain}
 * the first part is in every prompt, each other part in half of them.
 */
public final class PromptMatrix {
  /** 2 to this many prompts are more than anyone waits for. */
  private static final int MOST_OPTIONS = 16;

  private PromptMatrix() {}

  /**
   * Expands a matrix.
   *
   * @param matrix parts separated by bars, at most 16 after the first
   * @return 2ⁿ prompts for n parts after the first; prompt k has the parts of k's set bits, lowest
   *     first, joined by ", "
   * @throws PromptSyntaxException if there are too many parts
   */
  public static List<String> expand(String matrix) {
    String[] parts = requireNonNull(matrix, "matrix").split("\\|", -1);
    int options = parts.length - 1;
    if (options > MOST_OPTIONS) {
      throw new PromptSyntaxException(
          matrix.length(),
          "a matrix has at most %d parts after the first, found %d"
              .formatted(MOST_OPTIONS, options));
    }
    List<String> prompts = new ArrayList<>();
    for (int k = 0; k < 1 << options; k++) {
      StringBuilder prompt = new StringBuilder(parts[0].strip());
      for (int i = 0; i < options; i++) {
        if ((k >> i & 1) != 0) {
          prompt.append(prompt.isEmpty() ? "" : ", ").append(parts[i + 1].strip());
        }
      }
      prompts.add(prompt.toString());
    }
    return prompts;
  }
}
