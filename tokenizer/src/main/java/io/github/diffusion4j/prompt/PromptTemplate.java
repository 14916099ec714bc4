package io.github.diffusion4j.prompt;

import static java.util.Objects.requireNonNull;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A prompt with choices for batch work: {@code {a|b|c}} is one of its alternatives, which may hold
 * choices themselves, {@code __name__} a line of a list, which may too. A backslash makes one of
 * <code>{ } | _</code> plain; before anything else it stays.
 *
 * <p>Draws come from {@link SplittableRandom} of the seed, left to right, one {@code nextLong} per
 * choice met: of n things it takes the one at index floor(n · u / 2³¹), u the number's top 31 bits.
 * So a seed gives the same prompt everywhere. Immutable.
 */
public final class PromptTemplate {
  private static final Pattern NAME = Pattern.compile("__([^_\\s](?:[^\\n_{}|]|_(?!_))*+)__");
  private static final int DEEPEST = 100;
  private static final int DEEPEST_LISTS = 16;
  private static final int MOST_LINES = 10_000;

  private sealed interface Node permits Text, Choice, Line {}

  private record Text(String text) implements Node {}

  private record Choice(List<List<Node>> options) implements Node {}

  private record Line(String name) implements Node {}

  private final List<Node> nodes;

  private PromptTemplate(List<Node> nodes) {
    this.nodes = nodes;
  }

  /**
   * Parses a template.
   *
   * @param template text with choices
   * @return the template
   * @throws PromptSyntaxException if a brace has no partner or braces nest deeper than 100
   */
  public static PromptTemplate parse(String template) {
    Parser parser = new Parser(requireNonNull(template, "template"));
    List<Node> nodes = parser.sequence(0);
    if (parser.at < template.length()) {
      throw new PromptSyntaxException(
          parser.at, "this brace closes nothing; write \\} for a plain brace");
    }
    return new PromptTemplate(nodes);
  }

  /**
   * Draws a prompt.
   *
   * @param seed seed of all choices
   * @param wildcards lists for {@code __name__}
   * @return a prompt without choices
   * @throws IOException if a list cannot be had, lists name each other more than 16 deep, or more
   *     than 10,000 lines come together
   */
  public String draw(long seed, Wildcards wildcards) throws IOException {
    requireNonNull(wildcards, "wildcards");
    Draw draw = new Draw(seed, wildcards);
    draw(nodes, draw, 0);
    return draw.prompt.toString();
  }

  private static final class Draw {
    final SplittableRandom random;
    final Wildcards wildcards;
    final StringBuilder prompt = new StringBuilder();
    int lines;

    Draw(long seed, Wildcards wildcards) {
      this.random = new SplittableRandom(seed);
      this.wildcards = wildcards;
    }

    <T> T pick(List<T> things) {
      return things.get((int) ((random.nextLong() >>> 33) * things.size() >>> 31));
    }
  }

  private static void draw(List<Node> nodes, Draw draw, int lists) throws IOException {
    for (Node node : nodes) {
      if (node instanceof Text text) {
        draw.prompt.append(text.text());
      } else if (node instanceof Choice choice) {
        draw(draw.pick(choice.options()), draw, lists);
      } else if (node instanceof Line line) {
        if (lists == DEEPEST_LISTS || ++draw.lines > MOST_LINES) {
          throw new IOException(
              "wildcard __%s__: lists name each other more than %d deep or %d times"
                  .formatted(line.name(), DEEPEST_LISTS, MOST_LINES));
        }
        String text = draw.pick(draw.wildcards.lines(line.name()));
        draw(linesNodes(line.name(), text), draw, lists + 1);
      }
    }
  }

  private static List<Node> linesNodes(String name, String text) throws IOException {
    try {
      return parse(text).nodes;
    } catch (PromptSyntaxException e) {
      throw new IOException("wildcard __" + name + "__, \"" + text + "\": " + e.getMessage(), e);
    }
  }

  private static final class Parser {
    private final String template;
    private final Matcher name;
    private int at;

    Parser(String template) {
      this.template = template;
      this.name = NAME.matcher(template);
    }

    /** Reads up to the end, or inside braces up to a bar or closing brace. */
    List<Node> sequence(int depth) {
      List<Node> nodes = new ArrayList<>();
      StringBuilder text = new StringBuilder();
      while (at < template.length()) {
        char c = template.charAt(at);
        if (c == '}' || c == '|' && depth > 0) {
          break;
        }
        if (c == '{') {
          flush(text, nodes);
          nodes.add(choice(depth));
        } else if (c == '_' && name.region(at, template.length()).lookingAt()) {
          flush(text, nodes);
          nodes.add(new Line(name.group(1)));
          at = name.end();
        } else {
          boolean escape = c == '\\' && at + 1 < template.length() && isSign(at + 1);
          text.append(template.charAt(escape ? at + 1 : at));
          at += escape ? 2 : 1;
        }
      }
      flush(text, nodes);
      return nodes;
    }

    private boolean isSign(int index) {
      return "{}|_".indexOf(template.charAt(index)) >= 0;
    }

    private static void flush(StringBuilder text, List<Node> nodes) {
      if (!text.isEmpty()) {
        nodes.add(new Text(text.toString()));
        text.setLength(0);
      }
    }

    private Choice choice(int depth) {
      int open = at;
      if (depth == DEEPEST) {
        throw new PromptSyntaxException(open, "braces nest deeper than " + DEEPEST);
      }
      List<List<Node>> options = new ArrayList<>();
      do {
        at++;
        options.add(sequence(depth + 1));
      } while (at < template.length() && template.charAt(at) == '|');
      if (at == template.length()) {
        throw new PromptSyntaxException(
            open, "this brace is never closed; write \\{ for a plain brace");
      }
      at++;
      return new Choice(options);
    }
  }
}
