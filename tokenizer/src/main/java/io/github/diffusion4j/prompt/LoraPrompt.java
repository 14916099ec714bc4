package io.github.diffusion4j.prompt;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A prompt in the web UI's language and the LoRAs that it names: {@code <lora:name>}, {@code
 * <lora:name:0.7>}, {@code <lora:name:0.5:0.7>} with a scale of its own for the text encoders
 * first, or {@code <lora:name:te=0.5:unet=0.7>}.
 *
 * @param text the prompt without them
 * @param tags the LoRAs in order
 */
public record LoraPrompt(String text, List<LoraTag> tags) {
  private static final Pattern TAG = Pattern.compile("<lora:([^:>]+)((?::[^:>]*)*)>");

  /** Copies the list. */
  public LoraPrompt {
    requireNonNull(text, "text");
    tags = List.copyOf(tags);
  }

  /**
   * Takes the LoRAs out of a prompt.
   *
   * @param prompt in the web UI's language
   * @return the rest, and what it named
   * @throws PromptSyntaxException if a scale is not a number
   */
  public static LoraPrompt parse(String prompt) {
    Matcher matcher = TAG.matcher(requireNonNull(prompt, "prompt"));
    StringBuilder text = new StringBuilder();
    List<LoraTag> tags = new ArrayList<>();
    int at = 0;
    while (matcher.find()) {
      text.append(prompt, at, matcher.start());
      tags.add(tag(matcher));
      at = matcher.end();
    }
    return tags.isEmpty()
        ? new LoraPrompt(prompt, tags)
        : new LoraPrompt(text.append(prompt.substring(at)).toString().strip(), tags);
  }

  private static LoraTag tag(Matcher matcher) {
    List<Double> places = new ArrayList<>();
    double text = Double.NaN;
    double denoiser = Double.NaN;
    String options = matcher.group(2);
    for (String option : options.isEmpty() ? new String[0] : options.substring(1).split(":", -1)) {
      int equals = option.indexOf('=');
      String name = equals < 0 ? "" : option.substring(0, equals).strip();
      double value = number(option.substring(equals + 1).strip(), matcher.start(2));
      switch (name) {
        case "" -> places.add(value);
        case "te" -> text = value;
        case "unet" -> denoiser = value;
        default ->
            throw new PromptSyntaxException(
                matcher.start(2),
                "a LoRA's options are scales, te= and unet=, got \"" + option + "\"");
      }
    }
    if (places.size() > 2) {
      throw new PromptSyntaxException(
          matcher.start(2), "a LoRA has at most two scales, got " + places);
    }
    if (Double.isNaN(text)) {
      text = places.isEmpty() ? 1 : places.get(0);
    }
    if (Double.isNaN(denoiser)) {
      denoiser = places.size() == 2 ? places.get(1) : text;
    }
    return new LoraTag(matcher.group(1).strip(), denoiser, text);
  }

  private static double number(String value, int position) {
    try {
      double number = Double.parseDouble(value);
      if (Double.isFinite(number)) {
        return number;
      }
    } catch (NumberFormatException e) {
      // below
    }
    throw new PromptSyntaxException(
        position, "a LoRA's scale must be a number, got \"" + value + "\"");
  }
}
