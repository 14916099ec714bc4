package io.github.diffusion4j.prompt;

import static java.util.Objects.requireNonNull;

import java.util.List;

/**
 * A prompt in the syntax of the Compel library. {@code cat+}, {@code (red cat)++} and {@code
 * "cat"--} multiply the weight by 1.1 per plus and 0.9 per minus, {@code (red cat)1.3} by a number;
 * {@code ("a cat", "a dog").blend(0.7, 0.3)} mixes embeddings, {@code ("a cat", "in snow").and()}
 * puts them one after the other.
 *
 * @param clauses what .and() joins; one where there is none
 * @param loras adapters asked for by {@code withLora(name, weight)}
 * @see <a href="https://github.com/damian0815/compel">Compel</a>
 */
public record CompelPrompt(List<Clause> clauses, List<LoraReference> loras) {

  /** What a clause holds. */
  public sealed interface Part permits Passage, Blend {}

  /**
   * A clause and its weight.
   *
   * @param part what to encode
   * @param weight distance from the empty prompt's embedding, 1 is neutral
   */
  public record Clause(Part part, double weight) {
    /** Checks the weight. */
    public Clause {
      requireNonNull(part, "part");
      requireFinite(weight);
    }
  }

  /**
   * A text with weights.
   *
   * @param texts fragments in order, one or more; to be tokenized one by one
   */
  public record Passage(List<WeightedText> texts) implements Part {
    /** Copies the fragments. */
    public Passage {
      texts = List.copyOf(texts);
      if (texts.isEmpty()) {
        throw new IllegalArgumentException("texts must not be empty");
      }
    }
  }

  /**
   * A weighted sum of embeddings.
   *
   * @param passages what to encode, one or more
   * @param weights one a passage
   * @param normalized whether the sum is divided by the sum of the weights
   */
  public record Blend(List<Passage> passages, List<Double> weights, boolean normalized)
      implements Part {
    /** Copies the lists and checks that they fit. */
    public Blend {
      passages = List.copyOf(passages);
      weights = List.copyOf(weights);
      if (passages.isEmpty() || passages.size() != weights.size()) {
        throw new IllegalArgumentException(
            "blend must have as many weights as passages, got %d and %d"
                .formatted(weights.size(), passages.size()));
      }
      weights.forEach(CompelPrompt::requireFinite);
    }
  }

  /**
   * A low-rank adapter named in the prompt.
   *
   * @param name name of the adapter
   * @param weight its strength
   */
  public record LoraReference(String name, double weight) {
    /** Checks the weight. */
    public LoraReference {
      requireNonNull(name, "name");
      requireFinite(weight);
    }
  }

  /** Copies the lists. */
  public CompelPrompt {
    clauses = List.copyOf(clauses);
    loras = List.copyOf(loras);
    if (clauses.isEmpty()) {
      throw new IllegalArgumentException("clauses must not be empty");
    }
  }

  /**
   * Parses a prompt. Brackets and signs that make no syntax are text, as in Compel.
   *
   * @param prompt prompt in Compel's syntax
   * @return its clauses
   * @throws PromptSyntaxException if .blend() or .and() have weights that do not fit their texts or
   *     text behind them, if brackets nest deeper than 200, or for .swap(), which is not supported
   */
  public static CompelPrompt parse(String prompt) {
    return new CompelParser(requireNonNull(prompt, "prompt")).parse();
  }

  private static void requireFinite(double weight) {
    if (!Double.isFinite(weight)) {
      throw new IllegalArgumentException("weight must be finite, got " + weight);
    }
  }
}
