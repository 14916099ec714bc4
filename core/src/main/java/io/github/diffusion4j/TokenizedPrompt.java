package io.github.diffusion4j;

import io.github.diffusion4j.prompt.CompelPrompt;
import io.github.diffusion4j.prompt.Emphasis;
import io.github.diffusion4j.prompt.PromptChunk;
import io.github.diffusion4j.prompt.PromptChunks;
import io.github.diffusion4j.prompt.WeightedText;
import io.github.diffusion4j.prompt.WeightedToken;
import io.github.diffusion4j.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;

/**
 * A prompt as a CLIP text encoder will read it: its clauses, whose embeddings are put one after the
 * other, down to the tokens of each chunk.
 *
 * @param clauses one, unless the prompt joins several with {@code .and()}
 */
public record TokenizedPrompt(List<Clause> clauses) {

  /**
   * What {@code .and()} joins.
   *
   * @param texts one, or those that {@code .blend()} mixes
   * @param shares factor of each text's embedding
   * @param weight distance from the empty prompt's embedding, 1 is neutral
   */
  public record Clause(List<Text> texts, List<Double> shares, double weight) {
    /** Copies the lists. */
    public Clause {
      texts = List.copyOf(texts);
      shares = List.copyOf(shares);
    }
  }

  /**
   * A text of any length.
   *
   * @param sections one, unless the text has the word BREAK in the web UI's language
   */
  public record Text(List<Section> sections) {
    /** Copies the list. */
    public Text {
      sections = List.copyOf(sections);
    }
  }

  /**
   * A text without breaks.
   *
   * @param parts its pieces in order, tokenized one by one
   * @param chunks what the text encoder reads, one or more
   * @param cut the end of the text that it does not read; "" if it reads all
   */
  public record Section(List<WeightedText> parts, List<PromptChunk> chunks, String cut) {
    /** Copies the lists. */
    public Section {
      parts = List.copyOf(parts);
      chunks = List.copyOf(chunks);
    }

    static Section of(Tokenizer tokenizer, List<WeightedText> parts, PromptOptions options) {
      boolean whole = options.longPrompts() == LongPrompts.CHUNKS;
      int reach =
          whole && options.syntax() == PromptSyntax.WEB_UI ? PromptChunks.WEB_UI_COMMA_REACH : 0;
      List<PromptChunk> chunks =
          PromptChunks.of(tokenizer, parts, tokenizer.maxLength(), reach).chunks();
      return whole || chunks.size() == 1
          ? new Section(parts, chunks, "")
          : new Section(parts, chunks.subList(0, 1), textFrom(chunks.get(1).tokens(), parts));
    }

    private static String textFrom(List<WeightedToken> tokens, List<WeightedText> parts) {
      WeightedToken first = tokens.get(0);
      StringBuilder text = new StringBuilder();
      text.append(parts.get(first.part()).text().substring(first.token().start()));
      parts.subList(first.part() + 1, parts.size()).forEach(part -> text.append(part.text()));
      return text.toString();
    }

    /** Whether all weights are 1. */
    public boolean isNeutral() {
      return parts.stream().allMatch(part -> part.weight() == 1);
    }

    /**
     * This section with one of its pieces left out.
     *
     * @param tokenizer the tokenizer that this section was made with
     * @param part index of the piece
     * @param options how the prompt is read
     * @return a section of the other pieces; of the empty text if there are none
     */
    public Section without(Tokenizer tokenizer, int part, PromptOptions options) {
      List<WeightedText> others = new ArrayList<>(parts);
      others.remove(part);
      return of(tokenizer, others, options);
    }
  }

  /** Copies the list. */
  public TokenizedPrompt {
    clauses = List.copyOf(clauses);
  }

  /**
   * Reads a prompt.
   *
   * @param tokenizer of the text encoder
   * @param prompt the prompt; in the web UI's language without AND and editing over steps, which
   *     are for the whole generation to resolve
   * @param options how to read it
   * @return the prompt, cut as the options say
   * @throws io.github.diffusion4j.prompt.PromptSyntaxException if it is not of its language
   */
  public static TokenizedPrompt of(Tokenizer tokenizer, String prompt, PromptOptions options) {
    return switch (options.syntax()) {
      case PLAIN -> single(text(tokenizer, List.of(new WeightedText(prompt, 1)), options));
      case WEB_UI -> single(text(tokenizer, Emphasis.parse(prompt), options));
      case COMPEL ->
          new TokenizedPrompt(
              CompelPrompt.parse(prompt).clauses().stream()
                  .map(clause -> clause(tokenizer, clause, options))
                  .toList());
    };
  }

  private static TokenizedPrompt single(Text text) {
    return new TokenizedPrompt(List.of(new Clause(List.of(text), List.of(1.0), 1)));
  }

  private static Clause clause(
      Tokenizer tokenizer, CompelPrompt.Clause clause, PromptOptions options) {
    if (clause.part() instanceof CompelPrompt.Blend blend) {
      List<Text> texts =
          blend.passages().stream()
              .map(passage -> text(tokenizer, passage.texts(), options))
              .toList();
      double sum = blend.weights().stream().mapToDouble(Double::doubleValue).sum();
      if (blend.normalized() && sum == 0) {
        throw new IllegalArgumentException(
            "the weights of .blend() sum to 0, by which they cannot be divided, got "
                + blend.weights()
                + "; add no_normalize");
      }
      double divisor = blend.normalized() ? sum : 1;
      List<Double> shares = blend.weights().stream().map(weight -> weight / divisor).toList();
      return new Clause(texts, shares, clause.weight());
    }
    CompelPrompt.Passage passage = (CompelPrompt.Passage) clause.part();
    Text text = text(tokenizer, passage.texts(), options);
    return new Clause(List.of(text), List.of(1.0), clause.weight());
  }

  private static Text text(Tokenizer tokenizer, List<WeightedText> parts, PromptOptions options) {
    List<Section> sections = new ArrayList<>();
    List<WeightedText> section = new ArrayList<>();
    for (WeightedText part : parts) {
      if (options.syntax() == PromptSyntax.WEB_UI && part.isBreak()) {
        sections.add(Section.of(tokenizer, section, options));
        section = new ArrayList<>();
      } else {
        section.add(part);
      }
    }
    if (!section.isEmpty() || sections.isEmpty()) {
      sections.add(Section.of(tokenizer, section, options));
    }
    return new Text(sections);
  }

  /**
   * Everything that the text encoder does not read.
   *
   * @return cut texts in order; empty if it reads all
   */
  public List<String> cut() {
    return clauses.stream()
        .flatMap(clause -> clause.texts().stream())
        .flatMap(text -> text.sections().stream())
        .map(Section::cut)
        .filter(text -> !text.isEmpty())
        .toList();
  }
}
