package io.github.diffusion4j.image;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Generation parameters in the text form of AUTOMATIC1111's web UI, which viewers and galleries of
 * the ecosystem read:
 *
 * <pre>
 * a red apple
 * Negative prompt: blurry
 * Steps: 25, Sampler: DDIM, CFG scale: 4, Seed: 42, Size: 128x128
 * </pre>
 *
 * <p>The form is lossy: blanks around lines are dropped, a prompt's line that begins with {@code
 * Negative prompt:} starts the negative prompt, and the last line is taken for settings only if it
 * holds three of them. All else survives {@link #format} and {@link #parse}.
 *
 * @param prompt may have several lines
 * @param negativePrompt may have several lines; empty for none
 * @param settings name to value in the order of the text; names of at least two letters, digits,
 *     blanks, {@code -}, {@code /} or {@code _}
 */
public record A1111Parameters(String prompt, String negativePrompt, Map<String, String> settings) {

  private static final String NEGATIVE = "Negative prompt:";
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Copies the settings, order kept. */
  public A1111Parameters {
    requireNonNull(prompt, "prompt");
    requireNonNull(negativePrompt, "negativePrompt");
    settings = Collections.unmodifiableMap(new LinkedHashMap<>(settings));
    settings.forEach(
        (name, value) -> {
          requireNonNull(value, "value");
          if (name.length() < 2
              || nameEnd(name, 0) != name.length()
              || !name.equals(name.strip())) {
            throw new IllegalArgumentException(
                "settings must have names of at least two letters, digits, blanks, - and /, got \""
                    + name
                    + "\"");
          }
        });
  }

  /**
   * The text of these parameters. Values with a comma, a colon or a line break stand as JSON
   * strings.
   *
   * @return prompt, negative prompt if there is one, settings in one line
   */
  public String format() {
    StringBuilder text = new StringBuilder(prompt);
    if (!negativePrompt.isEmpty()) {
      text.append('\n').append(NEGATIVE).append(' ').append(negativePrompt);
    }
    String separator = "\n";
    for (Map.Entry<String, String> setting : settings.entrySet()) {
      text.append(separator)
          .append(setting.getKey())
          .append(": ")
          .append(quote(setting.getValue()));
      separator = ", ";
    }
    return text.toString().strip();
  }

  /**
   * Reads a text as the web UI does; any text gives something, at worst only a prompt.
   *
   * @param text what {@link #format}, the web UI or another program wrote
   * @return its parts; sizes are left as {@code 512x768}
   */
  public static A1111Parameters parse(String text) {
    List<String> lines = new ArrayList<>(List.of(text.strip().split("\n", -1)));
    List<Map.Entry<String, String>> found = settings(lines.get(lines.size() - 1));
    Map<String, String> settings = new LinkedHashMap<>();
    if (found.size() >= 3) {
      lines.remove(lines.size() - 1);
      found.forEach(setting -> settings.put(setting.getKey(), setting.getValue()));
    }
    StringBuilder prompt = new StringBuilder();
    StringBuilder negative = new StringBuilder();
    StringBuilder current = prompt;
    for (String line : lines) {
      String content = line.strip();
      if (content.startsWith(NEGATIVE)) {
        current = negative;
        content = content.substring(NEGATIVE.length()).strip();
      }
      current.append(current.isEmpty() ? "" : "\n").append(content);
    }
    return new A1111Parameters(prompt.toString(), negative.toString(), settings);
  }

  private static String quote(String value) {
    boolean plain =
        value.chars().noneMatch(c -> c == ',' || c == ':' || c < ' ')
            && value.equals(value.strip())
            && !value.startsWith("\"")
            && !value.isEmpty();
    if (plain) {
      return value;
    }
    try {
      return JSON.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a string is always valid JSON", e);
    }
  }

  private static String unquote(String value) {
    if (value.length() < 2 || !value.startsWith("\"") || !value.endsWith("\"")) {
      return value;
    }
    try {
      return JSON.readValue(value, String.class);
    } catch (JsonProcessingException e) {
      return value;
    }
  }

  /** Every {@code name: value} of a line, each value up to the next comma or in quotes. */
  private static List<Map.Entry<String, String>> settings(String line) {
    List<Map.Entry<String, String>> found = new ArrayList<>();
    int at = 0;
    while (at < line.length()) {
      if (!isWord(line.charAt(at))) {
        at++;
        continue;
      }
      int end = nameEnd(line, at);
      if (end - at < 2 || end == line.length() || line.charAt(end) != ':') {
        at = Math.max(end, at + 1);
        continue;
      }
      int from = end + 1;
      while (from < line.length() && Character.isWhitespace(line.charAt(from))) {
        from++;
      }
      int to = valueEnd(line, from);
      found.add(Map.entry(line.substring(at, end), unquote(line.substring(from, to))));
      at = to + 1;
    }
    return found;
  }

  /** End of the name that begins at an index: the index itself if none does. */
  private static int nameEnd(String text, int at) {
    if (at == text.length() || !isWord(text.charAt(at))) {
      return at;
    }
    int end = at + 1;
    while (end < text.length()
        && (isWord(text.charAt(end)) || " -/".indexOf(text.charAt(end)) >= 0)) {
      end++;
    }
    return end;
  }

  private static boolean isWord(char c) {
    return Character.isLetterOrDigit(c) || c == '_';
  }

  /** End of a value: after its closing quote if a comma or the end follows, else the next comma. */
  private static int valueEnd(String line, int from) {
    if (from < line.length() && line.charAt(from) == '"') {
      int at = from + 1;
      while (at < line.length() && line.charAt(at) != '"') {
        at += line.charAt(at) == '\\' ? 2 : 1;
      }
      if (at + 1 == line.length() || at + 1 < line.length() && line.charAt(at + 1) == ',') {
        return at + 1;
      }
    }
    int comma = line.indexOf(',', from);
    return comma < 0 ? line.length() : comma;
  }
}
