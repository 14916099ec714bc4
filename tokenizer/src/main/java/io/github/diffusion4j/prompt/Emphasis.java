package io.github.diffusion4j.prompt;

import static java.util.Objects.requireNonNull;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;

/**
 * Weights in the language of the Stable Diffusion web UI. {@code (x)} multiplies by 1.1, {@code
 * [x]} divides by 1.1, {@code (x:1.3)} multiplies by 1.3, all nest; a backslash before a bracket or
 * a backslash makes it a plain character and vanishes before anything else. Brackets left open
 * reach to the end, a closing bracket without an open one is text. The word BREAK starts a new
 * chunk.
 */
public final class Emphasis {
  private static final double STRONGER = 1.1;
  private static final double WEAKER = 1 / 1.1;

  /** More nested brackets than any weight of use; keeps hostile prompts from taking minutes. */
  private static final int DEEPEST = 500;

  private final String prompt;
  private final List<String> texts = new ArrayList<>();
  private final List<Double> weights = new ArrayList<>();
  private final Deque<Integer> round = new ArrayDeque<>();
  private final Deque<Integer> square = new ArrayDeque<>();

  private Emphasis(String prompt) {
    this.prompt = prompt;
  }

  /**
   * Splits a prompt at its changes of weight.
   *
   * @param prompt a prompt in the web UI's language, without AND and editing over steps
   * @return pieces in order, neighbours of different weights; BREAK as a piece of its own for which
   *     {@link WeightedText#isBreak()} holds, unless brackets around it changed its weight: then it
   *     is text, as in the web UI
   * @throws PromptSyntaxException if a weight is no number or brackets nest deeper than 500
   */
  public static List<WeightedText> parse(String prompt) {
    return new Emphasis(requireNonNull(prompt, "prompt")).parse();
  }

  private List<WeightedText> parse() {
    int at = 0;
    while (at < prompt.length()) {
      at = next(at);
    }
    // From the first opened to the last, as the weights' rounding depends on the order.
    closeAll(round, STRONGER);
    closeAll(square, WEAKER);
    return merged();
  }

  /** Reads one sign or run of text; returns where the next starts. */
  private int next(int at) {
    char c = prompt.charAt(at);
    switch (c) {
      case '\\':
        boolean literal = at + 1 < prompt.length() && isSign(prompt.charAt(at + 1));
        add(literal ? prompt.substring(at + 1, at + 2) : "", 1);
        return at + (literal ? 2 : 1);
      case '(':
        open(round, at);
        return at + 1;
      case '[':
        open(square, at);
        return at + 1;
      case ')':
        close(round, STRONGER, ")");
        return at + 1;
      case ']':
        close(square, WEAKER, "]");
        return at + 1;
      case ':':
        return colon(at);
      default:
        int end = at;
        while (end < prompt.length() && !isSign(prompt.charAt(end)) && prompt.charAt(end) != ':') {
          end++;
        }
        addText(at, end);
        return end;
    }
  }

  private static boolean isSign(char c) {
    return c == '\\' || c == '(' || c == ')' || c == '[' || c == ']';
  }

  private void open(Deque<Integer> brackets, int at) {
    if (round.size() + square.size() >= DEEPEST) {
      throw new PromptSyntaxException(
          at, "brackets nest deeper than " + DEEPEST + "; write \\( or \\[ for plain brackets");
    }
    brackets.push(texts.size());
  }

  private void close(Deque<Integer> brackets, double factor, String sign) {
    if (brackets.isEmpty()) {
      add(sign, 1);
    } else {
      multiply(brackets.pop(), factor);
    }
  }

  private void closeAll(Deque<Integer> brackets, double factor) {
    for (Iterator<Integer> open = brackets.descendingIterator(); open.hasNext(); ) {
      multiply(open.next(), factor);
    }
  }

  private void multiply(int from, double factor) {
    for (int i = from; i < weights.size(); i++) {
      weights.set(i, weights.get(i) * factor);
    }
  }

  /** {@code :number)} weighs an open round bracket; any other colon is text. */
  private int colon(int at) {
    int start = Characters.skipBlanks(prompt, at + 1, prompt.length());
    int end = start;
    if (end < prompt.length() && (prompt.charAt(end) == '+' || prompt.charAt(end) == '-')) {
      end++;
    }
    int digits = end;
    while (end < prompt.length() && isNumeric(prompt.charAt(end))) {
      end++;
    }
    int close = Characters.skipBlanks(prompt, end, prompt.length());
    if (digits == end || close == prompt.length() || prompt.charAt(close) != ')') {
      add(":", 1);
      return at + 1;
    }
    if (round.isEmpty()) {
      add(prompt.substring(at, close + 1), 1);
    } else {
      multiply(round.pop(), weight(start, end));
    }
    return close + 1;
  }

  private static boolean isNumeric(char c) {
    return c == '.' || c >= '0' && c <= '9';
  }

  private double weight(int start, int end) {
    String number = prompt.substring(start, end);
    try {
      double weight = Double.parseDouble(number);
      if (Double.isFinite(weight)) {
        return weight;
      }
    } catch (NumberFormatException e) {
      // The message below says it better.
    }
    throw new PromptSyntaxException(
        start, "expected a weight such as 1.3 between : and ), found \"%s\"".formatted(number));
  }

  private void add(String text, double weight) {
    texts.add(text);
    weights.add(weight);
  }

  /** Adds a run of text; BREAK takes the blanks around it along. */
  private void addText(int start, int end) {
    String run = prompt.substring(start, end);
    int from = 0;
    int word = Characters.indexOfWord(run, WeightedText.BREAK, 0);
    while (word >= 0) {
      add(run.substring(from, Characters.skipBlanksBack(run, from, word)), 1);
      add(WeightedText.BREAK, -1);
      int after = word + WeightedText.BREAK.length();
      from = Characters.skipBlanks(run, after, run.length());
      word = Characters.indexOfWord(run, WeightedText.BREAK, after);
    }
    add(run.substring(from), 1);
  }

  private List<WeightedText> merged() {
    List<WeightedText> parts = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < texts.size(); i++) {
      text.append(texts.get(i));
      double weight = weights.get(i);
      if (!Double.isFinite(weight)) {
        throw new PromptSyntaxException(0, "weights multiply to more than a number can hold");
      }
      if (i + 1 == texts.size() || weight != weights.get(i + 1)) {
        parts.add(new WeightedText(text.toString(), weight));
        text.setLength(0);
      }
    }
    return parts.isEmpty() ? List.of(new WeightedText("", 1)) : List.copyOf(parts);
  }
}
