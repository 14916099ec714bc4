package io.github.diffusion4j.prompt;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The tree of a prompt with edits over steps, read in one pass with an open-bracket stack. A
 * bracket that closes wrongly or never, or holds colons but no edit, is text, and so are those
 * around it.
 */
final class PromptEdits {
  private static final Pattern WHEN =
      Pattern.compile("\\s*([+-]?(?:\\d+\\.\\d*|\\.\\d+|\\d+)(?:[eE][+-]?\\d+)?)\\s*");

  private sealed interface Node permits Text, Sequence, Switch, Turns {}

  private record Text(String text) implements Node {}

  private record Sequence(List<Node> nodes) implements Node {}

  /** {@code [before:after:when]}. */
  private record Switch(Sequence before, Sequence after, int when) implements Node {}

  /** {@code [a|b|...]}: one after the other, step by step. */
  private record Turns(List<Sequence> options) implements Node {}

  private static final Text COLON = new Text(":");
  private static final Text BAR = new Text("|");

  /** An open bracket and what followed it; separators are told by identity. */
  private static final class Frame {
    final char bracket;
    final List<Node> nodes = new ArrayList<>();
    int colons;
    int bars;

    Frame(char bracket) {
      this.bracket = bracket;
    }
  }

  private final String prompt;
  private final int steps;
  private final SortedSet<Integer> changes = new TreeSet<>();
  private final Deque<Frame> open = new ArrayDeque<>();
  private final List<Node> root = new ArrayList<>();

  private PromptEdits(String prompt, int steps) {
    this.prompt = prompt;
    this.steps = steps;
    changes.add(steps);
  }

  static PromptEdits parse(String prompt, int steps) {
    PromptEdits edits = new PromptEdits(prompt, steps);
    int at = 0;
    while (at < prompt.length()) {
      at = edits.next(at);
    }
    edits.giveUp();
    return edits;
  }

  /** Steps after which the text may change, and the last one. */
  SortedSet<Integer> changes() {
    return changes;
  }

  /** Text of a step, counted from 1. */
  String textAt(int step) {
    StringBuilder text = new StringBuilder();
    Deque<Iterator<Node>> path = new ArrayDeque<>();
    path.push(root.iterator());
    while (!path.isEmpty()) {
      if (!path.peek().hasNext()) {
        path.pop();
        continue;
      }
      Node node = path.peek().next();
      if (node instanceof Text plain) {
        text.append(plain.text());
      } else if (node instanceof Sequence sequence) {
        path.push(sequence.nodes().iterator());
      } else if (node instanceof Switch edit) {
        path.push((step <= edit.when() ? edit.before() : edit.after()).nodes().iterator());
      } else if (node instanceof Turns turns) {
        int turn = (step - 1) % turns.options().size();
        path.push(turns.options().get(turn).nodes().iterator());
      }
    }
    return text.toString();
  }

  private int next(int at) {
    char c = prompt.charAt(at);
    switch (c) {
      case '(', '[':
        open.push(new Frame(c));
        return at + 1;
      case ')', ']':
        close(c);
        return at + 1;
      case ':':
        separator(COLON);
        return at + 1;
      case '|':
        separator(BAR);
        return at + 1;
      default:
        int end = at;
        while (end < prompt.length() && "()[]:|".indexOf(prompt.charAt(end)) < 0) {
          end += prompt.charAt(end) == '\\' ? 2 : 1;
        }
        end = Math.min(end, prompt.length());
        nodes().add(new Text(prompt.substring(at, end)));
        return end;
    }
  }

  private List<Node> nodes() {
    return open.isEmpty() ? root : open.peek().nodes;
  }

  private void separator(Text sign) {
    nodes().add(sign);
    if (!open.isEmpty()) {
      open.peek().colons += sign == COLON ? 1 : 0;
      open.peek().bars += sign == BAR ? 1 : 0;
    }
  }

  private void close(char sign) {
    Frame frame = open.peek();
    Node node = null;
    if (frame != null && frame.bracket == '(' && sign == ')' && frame.colons <= 1) {
      node = bracketed(frame, sign);
    } else if (frame != null && frame.bracket == '[' && sign == ']') {
      node = square(frame);
    }
    if (node == null) {
      giveUp();
      root.add(new Text(String.valueOf(sign)));
    } else {
      open.pop();
      nodes().add(node);
    }
  }

  private static Node bracketed(Frame frame, char sign) {
    frame.nodes.add(0, new Text(String.valueOf(frame.bracket)));
    frame.nodes.add(new Text(String.valueOf(sign)));
    return new Sequence(frame.nodes);
  }

  /** An edit, a turn or plain emphasis; null for none of them. */
  private Node square(Frame frame) {
    if (frame.colons == 0) {
      return frame.bars == 0 ? bracketed(frame, ']') : turns(frame);
    }
    List<Sequence> parts = split(frame.nodes, COLON);
    Matcher when = WHEN.matcher(plainText(parts.get(parts.size() - 1)));
    if (parts.size() > 3 || !when.matches()) {
      return null;
    }
    int step = step(when.group(1));
    if (step >= 1) {
      changes.add(step);
    }
    Sequence before = parts.size() == 3 ? parts.get(0) : new Sequence(List.of());
    return new Switch(before, parts.get(parts.size() - 2), step);
  }

  private Node turns(Frame frame) {
    for (int step = 1; step <= steps; step++) {
      changes.add(step);
    }
    return new Turns(split(frame.nodes, BAR));
  }

  private static List<Sequence> split(List<Node> nodes, Text separator) {
    List<Sequence> parts = new ArrayList<>();
    List<Node> part = new ArrayList<>();
    for (Node node : nodes) {
      if (node == separator) {
        parts.add(new Sequence(part));
        part = new ArrayList<>();
      } else {
        part.add(node);
      }
    }
    parts.add(new Sequence(part));
    return parts;
  }

  /** The text of a part that is nothing but text; else "". */
  private static String plainText(Sequence part) {
    return part.nodes().size() == 1 && part.nodes().get(0) instanceof Text text ? text.text() : "";
  }

  /** With a point a share of all steps, else a number of steps. */
  private int step(String when) {
    double value = Double.parseDouble(when) * (when.contains(".") ? steps : 1);
    return (int) Math.min(steps, value);
  }

  /** Makes all open brackets text. */
  private void giveUp() {
    while (!open.isEmpty()) {
      Frame outermost = open.pollLast();
      root.add(new Text(String.valueOf(outermost.bracket)));
      root.addAll(outermost.nodes);
    }
  }
}
