package io.github.diffusion4j;

import java.util.List;

/** Turns prompts into what a denoiser is conditioned on. Thread-safe. */
public interface PromptEncoder {

  /**
   * Encodes the prompts of one generation.
   *
   * @param prompts what to encode
   * @param cancel stops a running network
   * @return rows for the negative prompts, where asked for, then for the prompts
   */
  Conditioning encode(Prompts prompts, CancelToken cancel);

  /**
   * Texts of one generation.
   *
   * @param positive one prompt for each image
   * @param negative one for each image, or empty for no negative branch
   */
  record Prompts(List<String> positive, List<String> negative) {

    /** Checks that the lists agree. */
    public Prompts {
      positive = List.copyOf(positive);
      negative = List.copyOf(negative);
      if (positive.isEmpty() || !negative.isEmpty() && negative.size() != positive.size()) {
        throw new IllegalArgumentException(
            "expected as many negative prompts as prompts or none, got %d and %d"
                .formatted(negative.size(), positive.size()));
      }
    }
  }
}
