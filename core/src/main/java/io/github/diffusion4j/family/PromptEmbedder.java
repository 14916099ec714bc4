package io.github.diffusion4j.family;

import io.github.diffusion4j.PromptOptions;
import io.github.diffusion4j.PromptWeighting;
import io.github.diffusion4j.TokenizedPrompt;
import io.github.diffusion4j.prompt.PromptChunk;
import io.github.diffusion4j.prompt.WeightedToken;
import io.github.diffusion4j.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;

/**
 * Embeds prompts with one CLIP text encoder: reads their language, fills chunks, weighs words. For
 * one generation.
 */
final class PromptEmbedder {

  /** Runs the text encoder on one chunk. */
  @FunctionalInterface
  interface Network {
    /**
     * Encodes one chunk.
     *
     * @param ids as many as the encoder takes
     * @param hidden positions that no other token may see
     */
    TextFeatures encode(long[] ids, BitSet hidden);
  }

  /** Weight of the prompt without a word of weight 0 is that of this weight: not quite infinite. */
  private static final double LEAST_WEIGHT = 1e-9;

  private static final BitSet NONE = new BitSet();

  private final Tokenizer tokenizer;
  private final PromptOptions options;
  private final Network network;

  PromptEmbedder(Tokenizer tokenizer, PromptOptions options, Network network) {
    this.tokenizer = tokenizer;
    this.options = options;
    this.network = network;
  }

  /**
   * Embeds prompts.
   *
   * @param prompts any number, also equal ones
   * @return the embedding of each different one; long prompts may give longer ones
   */
  Map<String, TextFeatures> embed(List<String> prompts) {
    Map<String, TextFeatures> features = new LinkedHashMap<>();
    for (String prompt : new LinkedHashSet<>(prompts)) {
      features.put(prompt, embed(prompt));
    }
    return features;
  }

  /** Embeds one prompt. */
  TextFeatures embed(String prompt) {
    TokenizedPrompt tokenized = TokenizedPrompt.of(tokenizer, prompt, options);
    TextEncoder.warnOfCut(tokenized.cut());
    return embed(tokenized);
  }

  private TextFeatures embed(TokenizedPrompt prompt) {
    return joined(prompt.clauses().stream().map(this::embed).toList());
  }

  private TextFeatures embed(TokenizedPrompt.Clause clause) {
    List<TextFeatures> texts = new ArrayList<>();
    for (TokenizedPrompt.Text text : clause.texts()) {
      texts.add(joined(text.sections().stream().map(this::embed).toList()));
    }
    TextFeatures mixed = texts.size() == 1 ? texts.get(0) : mixed(texts, clause.shares());
    return clause.weight() == 1 ? mixed : stretched(mixed, clause.weight());
  }

  private TextFeatures embed(TokenizedPrompt.Section section) {
    if (section.isNeutral()) {
      return joined(section.chunks().stream().map(chunk -> encode(chunk, NONE)).toList());
    }
    return options.weighting() == PromptWeighting.RESTORE_MEAN
        ? joined(section.chunks().stream().map(this::multiplied).toList())
        : interpolated(section);
  }

  private TextFeatures encode(PromptChunk chunk, BitSet hidden) {
    return network.encode(chunk.ids().toLongArray(), hidden);
  }

  /** The web UI's rule. */
  private TextFeatures multiplied(PromptChunk chunk) {
    TextFeatures features = encode(chunk, NONE);
    float[] states = features.hidden().clone();
    float[] weights = chunk.weights();
    int width = features.width();
    double before = sum(states);
    for (int token = 0; token < weights.length; token++) {
      for (int i = token * width; i < (token + 1) * width; i++) {
        states[i] *= weights[token];
      }
    }
    double after = sum(states);
    if (after != 0) {
      float factor = (float) (before / after);
      for (int i = 0; i < states.length; i++) {
        states[i] *= factor;
      }
    }
    return features.withHidden(states);
  }

  private static double sum(float... values) {
    double sum = 0;
    for (float value : values) {
      sum += value;
    }
    return sum;
  }

  /** Compel's rule: stretched embeddings, mixed with those that lack a word weighted below 1. */
  private TextFeatures interpolated(TokenizedPrompt.Section section) {
    List<TextFeatures> features = new ArrayList<>(List.of(stretched(section, -1)));
    List<Double> shares = new ArrayList<>(List.of(1.0));
    for (int part = 0; part < section.parts().size(); part++) {
      double weight = section.parts().get(part).weight();
      if (weight < 1) {
        features.add(
            options.weighting() == PromptWeighting.INTERPOLATE_MASKED
                ? stretched(section, part)
                : stretched(section.without(tokenizer, part, options), -1));
        shares.add(Math.tan((1 - Math.max(LEAST_WEIGHT, weight)) * Math.PI / 2));
      }
    }
    double sum = shares.stream().mapToDouble(Double::doubleValue).sum();
    shares.replaceAll(share -> share / sum);
    return features.size() == 1 ? features.get(0) : mixed(features, shares);
  }

  /** The chunks of a section, each token moved by its weight; one piece may be hidden. */
  private TextFeatures stretched(TokenizedPrompt.Section section, int hiddenPart) {
    List<TextFeatures> chunks = new ArrayList<>();
    for (PromptChunk chunk : section.chunks()) {
      BitSet hidden = new BitSet();
      int position = chunk.frame().before().size();
      for (WeightedToken token : chunk.tokens()) {
        hidden.set(position++, token.part() == hiddenPart);
      }
      TextFeatures features = encode(chunk, hidden);
      chunks.add(stretched(features, chunk.weights()));
    }
    return joined(chunks);
  }

  private TextFeatures stretched(TextFeatures features, double weight) {
    float[] weights = new float[features.tokens()];
    java.util.Arrays.fill(weights, (float) weight);
    return stretched(features, weights);
  }

  /** Moves each token's embedding away from that of the empty prompt, or towards it. */
  private TextFeatures stretched(TextFeatures features, float... weights) {
    float[] origin = empty().hidden();
    float[] states = features.hidden().clone();
    int width = features.width();
    for (int i = 0; i < states.length; i++) {
      float weight = weights[i / width];
      if (weight != 1) {
        float from = origin[i % origin.length];
        states[i] = from + weight * (states[i] - from);
      }
    }
    return features.withHidden(states);
  }

  private TextFeatures mixed(List<TextFeatures> features, List<Double> shares) {
    int tokens = features.stream().mapToInt(TextFeatures::tokens).max().orElse(0);
    TextFeatures first = features.get(0);
    double[] sums = new double[tokens * first.width()];
    for (int k = 0; k < features.size(); k++) {
      float[] states = pad(features.get(k), tokens).hidden();
      double share = shares.get(k);
      for (int i = 0; i < sums.length; i++) {
        sums[i] += share * states[i];
      }
    }
    float[] states = new float[sums.length];
    for (int i = 0; i < states.length; i++) {
      states[i] = (float) sums[i];
    }
    return first.withHidden(states);
  }

  /** Fills up with empty chunks, so that embeddings of several lengths can stand side by side. */
  TextFeatures pad(TextFeatures features, int tokens) {
    if (features.tokens() == tokens) {
      return features;
    }
    List<TextFeatures> parts = new ArrayList<>(List.of(features));
    TextFeatures empty = empty();
    parts.addAll(Collections.nCopies((tokens - features.tokens()) / empty.tokens(), empty));
    return joined(parts);
  }

  /** A chunk without text. */
  private TextFeatures empty() {
    return encode(new PromptChunk(List.of(), tokenizer.frame(), tokenizer.maxLength()), NONE);
  }

  /** One after the other; the pooled embedding is the first one's. */
  private static TextFeatures joined(List<TextFeatures> parts) {
    if (parts.size() == 1) {
      return parts.get(0);
    }
    float[] states = new float[parts.stream().mapToInt(part -> part.hidden().length).sum()];
    int at = 0;
    for (TextFeatures part : parts) {
      System.arraycopy(part.hidden(), 0, states, at, part.hidden().length);
      at += part.hidden().length;
    }
    return parts.get(0).withHidden(states);
  }
}
