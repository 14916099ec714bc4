package io.github.diffusion4j.prompt;

import io.github.diffusion4j.prompt.CompelNode.Match;
import io.github.diffusion4j.prompt.CompelPrompt.Blend;
import io.github.diffusion4j.prompt.CompelPrompt.Clause;
import io.github.diffusion4j.prompt.CompelPrompt.LoraReference;
import io.github.diffusion4j.prompt.CompelPrompt.Part;
import io.github.diffusion4j.prompt.CompelPrompt.Passage;
import java.util.ArrayList;
import java.util.List;

/** Parses the clauses of a Compel prompt: lists with .and() or .blend(), else one passage. */
final class CompelParser {
  private final CompelSource source;
  private final CompelGrammar grammar;

  private final List<LoraReference> loras = new ArrayList<>();

  CompelParser(String prompt) {
    this.source = new CompelSource(prompt);
    this.grammar = new CompelGrammar(source);
  }

  CompelPrompt parse() {
    int end = source.length();
    Operation and = operation(0, end, ".and", ".add");
    if (and != null) {
      requireEnd(and.end(), ".and()");
      return and(and);
    }
    List<CompelNode> before = new ArrayList<>();
    int start = grammar.loras(0, end, before);
    Operation blend = operation(start, end, ".blend");
    List<Part> parts = new ArrayList<>();
    if (blend != null) {
      List<CompelNode> after = new ArrayList<>();
      requireEnd(grammar.loras(blend.end(), end, after), ".blend()");
      CompelNode.flatten(before, loras);
      parts.add(blend(blend));
      CompelNode.flatten(after, loras);
    } else {
      before.addAll(grammar.prompt(start, end).nodes());
      passages(List.of(before)).forEach(parts::add);
    }
    if (parts.isEmpty()) {
      parts.add(new Passage(List.of(new WeightedText("", 1))));
    }
    return new CompelPrompt(parts.stream().map(part -> new Clause(part, 1)).toList(), loras);
  }

  private void requireEnd(int at, String operator) {
    int next = source.skipBlanks(at, source.length());
    if (next < source.length()) {
      throw source.error(
          next, "text after " + operator + " would be lost; put it into one of the texts in it");
    }
  }

  /** {@code (text, text).operator(options)}, the operator at an index. */
  private record Operation(List<List<CompelNode>> texts, int at, List<String> options, int end) {}

  private Operation operation(int from, int limit, String... operators) {
    int at = source.literal("(", from, limit);
    List<List<CompelNode>> texts = new ArrayList<>();
    boolean more = at >= 0;
    while (more) {
      Match text = grammar.listed(at, limit);
      if (text == null) {
        return null;
      }
      texts.add(text.nodes());
      int comma = source.literal(",", text.end(), limit);
      more = comma >= 0;
      at = more ? comma : source.literal(")", text.end(), limit);
    }
    if (at < 0) {
      return null;
    }
    for (String operator : operators) {
      int name = source.literal(operator, at, limit);
      int open = name < 0 ? -1 : source.literal("(", name, limit);
      if (open >= 0) {
        List<String> options = new ArrayList<>();
        int close = source.literal(")", grammar.options(open, limit, options), limit);
        return close < 0 ? null : new Operation(texts, name - operator.length(), options, close);
      }
    }
    return null;
  }

  private CompelPrompt and(Operation and) {
    List<Double> weights = weights(and, and.options());
    List<Clause> clauses = new ArrayList<>();
    for (int i = 0; i < weights.size(); i++) {
      for (Passage passage : passages(List.of(and.texts().get(i)))) {
        clauses.add(new Clause(passage, weights.get(i)));
      }
    }
    if (clauses.isEmpty()) {
      throw source.error(and.at(), ".and() has no text to join");
    }
    return new CompelPrompt(clauses, loras);
  }

  private Blend blend(Operation blend) {
    List<String> options = blend.options();
    int last = options.size() - 1;
    boolean normalized = options.isEmpty() || !options.get(last).equals("no_normalize");
    List<Double> weights = weights(blend, normalized ? options : options.subList(0, last));
    List<Passage> passages = passages(blend.texts());
    if (passages.size() != weights.size()) {
      throw source.error(blend.at(), ".blend() has an empty text; write \"\" for the empty prompt");
    }
    return new Blend(passages, weights, normalized);
  }

  private List<Double> weights(Operation operation, List<String> options) {
    List<Double> weights = new ArrayList<>();
    for (String option : options) {
      int end = new CompelSource(option).number(0, option.length());
      if (end != option.length()) {
        throw source.error(operation.at(), "expected weights, found \"" + option + "\"");
      }
      weights.add(grammar.finite(Double.parseDouble(option), operation.at()));
    }
    int texts = operation.texts().size();
    while (options.isEmpty() && weights.size() < texts) {
      weights.add(1.0);
    }
    if (weights.size() != texts) {
      throw source.error(
          operation.at(),
          "%d texts and %d weights; give as many weights as texts, or none"
              .formatted(texts, weights.size()));
    }
    return weights;
  }

  private List<Passage> passages(List<List<CompelNode>> texts) {
    List<Passage> passages = new ArrayList<>();
    for (List<CompelNode> nodes : texts) {
      List<WeightedText> fragments;
      try {
        fragments = CompelNode.flatten(nodes, loras);
      } catch (IllegalArgumentException e) {
        throw source.error(0, "nested weights multiply to more than a number can hold");
      }
      if (!fragments.isEmpty()) {
        passages.add(new Passage(fragments));
      }
    }
    return passages;
  }
}
