package io.github.diffusion4j.prompt;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A whole prompt in the language of the Stable Diffusion web UI: several conditionings joined by
 * AND, each with a weight and texts that may change over the steps. Weights within a text are the
 * matter of {@link Emphasis}.
 *
 * @param branches conditionings in order, one or more
 * @see <a href="https://arxiv.org/abs/2206.01714">Compositional Visual Generation with Composable
 *     Diffusion Models</a>
 */
public record WebUiPrompt(List<Branch> branches) {
  private static final String AND = "AND";
  private static final Pattern WEIGHT = Pattern.compile("[+-]?(?:[0-9]+\\.?|[0-9]*\\.[0-9]+)");

  /**
   * One conditioning.
   *
   * @param schedule its text over the steps
   * @param weight its share of the guidance, 1 if not given
   */
  public record Branch(PromptSchedule schedule, double weight) {
    /** Checks the weight. */
    public Branch {
      requireNonNull(schedule, "schedule");
      if (!Double.isFinite(weight)) {
        throw new IllegalArgumentException("weight must be finite, got " + weight);
      }
    }
  }

  /** Copies the branches. */
  public WebUiPrompt {
    branches = List.copyOf(branches);
    if (branches.isEmpty()) {
      throw new IllegalArgumentException("branches must not be empty");
    }
  }

  /**
   * Parses a prompt.
   *
   * @param prompt prompt in the web UI's language
   * @param steps denoiser evaluations, see {@link PromptSchedule#parse}
   * @return its conditionings
   */
  public static WebUiPrompt parse(String prompt, int steps) {
    List<Branch> branches = new ArrayList<>();
    for (WeightedText part : split(prompt)) {
      branches.add(new Branch(PromptSchedule.parse(part.text(), steps), part.weight()));
    }
    return new WebUiPrompt(branches);
  }

  /**
   * Splits a prompt at the word AND. A number after the last colon of a part is its weight: {@code
   * a cat :1.2 AND a dog}.
   *
   * @param prompt prompt in the web UI's language
   * @return parts in order, each without the blanks at its end
   * @throws PromptSyntaxException if a weight is too large for a number
   */
  public static List<WeightedText> split(String prompt) {
    requireNonNull(prompt, "prompt");
    List<WeightedText> parts = new ArrayList<>();
    int start = 0;
    int word = Characters.indexOfWord(prompt, AND, 0);
    while (word >= 0) {
      parts.add(weigh(prompt, start, word));
      start = word + AND.length();
      word = Characters.indexOfWord(prompt, AND, start);
    }
    parts.add(weigh(prompt, start, prompt.length()));
    return List.copyOf(parts);
  }

  private static WeightedText weigh(String prompt, int start, int end) {
    int last = Characters.skipBlanksBack(prompt, start, end);
    int colon = prompt.lastIndexOf(':', last - 1);
    if (colon >= start) {
      int number = Characters.skipBlanks(prompt, colon + 1, last);
      Matcher weight = WEIGHT.matcher(prompt).region(number, last);
      if (weight.matches()) {
        double value = Double.parseDouble(weight.group());
        if (Double.isInfinite(value)) {
          throw new PromptSyntaxException(number, "the weight is too large for a number");
        }
        int textEnd = Characters.skipBlanksBack(prompt, start, colon);
        return new WeightedText(prompt.substring(start, textEnd), value);
      }
    }
    return new WeightedText(prompt.substring(start, last), 1);
  }
}
