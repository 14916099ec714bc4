package io.github.diffusion4j.prompt;

import io.github.diffusion4j.prompt.CompelNode.Leaf;
import io.github.diffusion4j.prompt.CompelNode.Lora;
import io.github.diffusion4j.prompt.CompelNode.Match;
import io.github.diffusion4j.prompt.CompelNode.Weighted;
import io.github.diffusion4j.prompt.CompelPrompt.LoraReference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The expressions within a Compel passage, matched by ordered choice as the reference does: the
 * first that matches is taken and never reconsidered. Every method matches at an index up to a
 * limit (the end of the prompt or of a quoted text) and returns null, or -1, where it does not
 * match.
 */
final class CompelGrammar {
  private static final double PLUS = 1.1;
  private static final double MINUS = 0.9;
  private static final int DEEPEST = 200;

  private final CompelSource source;

  /** Bracketed and quoted texts are tried by several expressions; by index and limit. */
  private final Map<Long, Match> tried = new HashMap<>();

  private int depth;

  CompelGrammar(CompelSource source) {
    this.source = source;
  }

  /** One text of an operator's list. */
  Match listed(int from, int limit) {
    Match target = target(from, limit);
    return target != null ? target : quoted(from, limit, true);
  }

  /** Reads the options; returns the index after the last. */
  int options(int from, int limit, List<String> options) {
    int at = from;
    boolean more = true;
    while (more) {
      int start = source.skipBlanks(at, limit);
      int end = option(start, limit, options);
      if (end < 0) {
        break;
      }
      from = end;
      at = source.literal(",", end, limit);
      more = at >= 0;
    }
    return from;
  }

  /** {@code name=value}, a number or a name; adds the name or number. */
  private int option(int start, int limit, List<String> options) {
    int name = source.name(start, limit);
    int equal = name < 0 ? -1 : source.literal("=", name, limit);
    int value = equal < 0 ? -1 : numberOrName(source.skipBlanks(equal, limit), limit);
    int end = value >= 0 ? name : numberOrName(start, limit);
    if (end >= 0) {
      options.add(source.substring(start, end));
    }
    return value >= 0 ? value : end;
  }

  private int numberOrName(int start, int limit) {
    int number = source.number(start, limit);
    return number >= 0 ? number : source.name(start, limit);
  }

  /** Weights and quotes where they match, else words of anything up to a blank. */
  Match prompt(int from, int limit) {
    List<CompelNode> nodes = new ArrayList<>();
    int at = source.skipBlanks(from, limit);
    while (at < limit) {
      Match match = syntax(at, limit);
      if (match == null) {
        int end = source.anything(at, limit);
        match = leaf(at, end);
      }
      nodes.addAll(match.nodes());
      at = source.skipBlanks(match.end(), limit);
    }
    return new Match(nodes, at);
  }

  private Match syntax(int at, int limit) {
    rejectSwap(at, limit);
    Match match = lora(at, limit);
    match = match != null ? match : attention(at, limit);
    match = match != null ? match : quoted(at, limit, false);
    return match != null ? match : bracketed(at, limit);
  }

  /** Fragments up to what is none: inside brackets and quotes. */
  private Match fragments(int from, int limit, boolean punctuation) {
    List<CompelNode> nodes = new ArrayList<>();
    int end = from;
    for (Match match = fragment(from, limit, punctuation);
        match != null;
        match = fragment(end, limit, punctuation)) {
      nodes.addAll(match.nodes());
      end = match.end();
    }
    return new Match(nodes, end);
  }

  private Match fragment(int from, int limit, boolean punctuation) {
    int at = source.skipBlanks(from, limit);
    if (at == limit) {
      return null;
    }
    Match match = syntax(at, limit);
    if (match != null) {
      return match;
    }
    int word = source.word(at, limit);
    if (word >= 0) {
      return leaf(at, word);
    }
    char c = source.at(at);
    return punctuation && (c == ',' || c == '.') ? leaf(at, at + 1) : null;
  }

  private Match leaf(int start, int end) {
    Leaf leaf = new Leaf(CompelNode.unescape(source.substring(start, end)));
    return new Match(List.of(leaf), end);
  }

  private Match target(int from, int limit) {
    Match group = group(from, limit);
    if (group != null) {
      return group;
    }
    int at = source.skipBlanks(from, limit);
    int word = source.word(at, limit);
    return word < 0 ? null : leaf(at, word);
  }

  private Match group(int from, int limit) {
    Match quoted = quoted(from, limit, false);
    return quoted != null ? quoted : bracketed(from, limit);
  }

  private Match bracketed(int from, int limit) {
    int open = source.literal("(", from, limit);
    if (open < 0) {
      return null;
    }
    long key = key(open, limit);
    if (!tried.containsKey(key)) {
      enter(open - 1);
      Match inner = fragments(open, limit, true);
      depth--;
      int close = source.literal(")", inner.end(), limit);
      tried.put(key, close < 0 ? null : new Match(inner.nodes(), close));
    }
    return tried.get(key);
  }

  /** A quoted text of fragments, or (free) of anything that makes a prompt. */
  private Match quoted(int from, int limit, boolean free) {
    int open = source.literal("\"", from, limit);
    int close = open < 0 ? -1 : source.closingQuote(open, limit);
    if (close < 0) {
      return null;
    }
    long key = free ? -1 - key(open, limit) : key(open, limit);
    if (!tried.containsKey(key)) {
      tried.put(key, quotedText(open, close, free));
    }
    return tried.get(key);
  }

  private Match quotedText(int start, int end, boolean free) {
    if (source.substring(start, end).isBlank()) {
      return new Match(List.of(new Leaf("")), end + 1);
    }
    enter(start - 1);
    Match inner = free ? prompt(start, end) : fragments(start, end, true);
    depth--;
    boolean all = source.skipBlanks(inner.end(), end) == end;
    return all ? new Match(inner.nodes(), end + 1) : null;
  }

  private void enter(int at) {
    if (++depth > DEEPEST) {
      throw source.error(
          at, "brackets nest deeper than " + DEEPEST + "; write \\( for plain brackets");
    }
  }

  private long key(int at, int limit) {
    return (long) at * (source.length() + 1) + limit;
  }

  // Operators on one target

  private Match attention(int at, int limit) {
    Match target = target(at, limit);
    int explicit = operator(target, ".attend", limit);
    if (explicit >= 0) {
      Match weighted = weighted(target, source.skipBlanks(explicit, limit), limit, true);
      int close = weighted == null ? -1 : source.literal(")", weighted.end(), limit);
      if (close >= 0) {
        return new Match(weighted.nodes(), close);
      }
    }
    Match group = group(at, limit);
    Match implicit = group == null ? null : weighted(group, group.end(), limit, true);
    int word = implicit != null ? -1 : source.word(at, limit);
    return word < 0 ? implicit : weighted(leaf(at, word), word, limit, false);
  }

  /** End of {@code .operator(} after a target, or -1. */
  private int operator(Match target, String name, int limit) {
    int end = target == null ? -1 : source.literal(name, target.end(), limit);
    return end < 0 ? -1 : source.literal("(", end, limit);
  }

  /** Pluses, minuses or (where allowed) a number right at an index. */
  private Match weighted(Match target, int at, int limit, boolean numbers) {
    int plus = source.run('+', at, limit);
    int minus = source.run('-', at, limit);
    int end = Math.max(plus, minus);
    double weight = plus > 0 ? Math.pow(PLUS, plus - at) : Math.pow(MINUS, minus - at);
    if (end < 0) {
      end = numbers ? source.number(at, limit) : -1;
      weight = end < 0 ? 1 : Double.parseDouble(source.substring(at, end));
    }
    if (end < 0) {
      return null;
    }
    return new Match(List.of(new Weighted(finite(weight, at), target.nodes())), end);
  }

  double finite(double weight, int at) {
    if (!Double.isFinite(weight)) {
      throw source.error(at, "the weight is too large for a number");
    }
    return weight;
  }

  private void rejectSwap(int at, int limit) {
    int open = operator(target(at, limit), ".swap", limit);
    if (open < 0) {
      return;
    }
    int end = fragments(open, limit, false).end();
    int comma = source.literal(",", end, limit);
    end = comma < 0 ? end : options(comma, limit, new ArrayList<>());
    if (source.literal(")", end, limit) >= 0) {
      throw source.error(
          at, ".swap() needs control of cross-attention, which exported models do not give");
    }
  }

  /** Adapters one after the other; returns the index after them. */
  int loras(int from, int limit, List<CompelNode> nodes) {
    int end = from;
    for (Match lora = lora(end, limit); lora != null; lora = lora(end, limit)) {
      nodes.addAll(lora.nodes());
      end = lora.end();
    }
    return end;
  }

  private Match lora(int from, int limit) {
    int named =
        Math.max(source.literal("useLora", from, limit), source.literal("withLora", from, limit));
    int open = named < 0 ? -1 : source.literal("(", named, limit);
    int start = open < 0 ? -1 : source.skipBlanks(open, limit);
    int end = start < 0 ? -1 : source.name(start, limit);
    if (end < 0) {
      return null;
    }
    int comma = source.literal(",", end, limit);
    int number = comma < 0 ? -1 : source.skipBlanks(comma, limit);
    int numberEnd = number < 0 ? -1 : source.number(number, limit);
    double weight = numberEnd < 0 ? 1 : Double.parseDouble(source.substring(number, numberEnd));
    int close = source.literal(")", numberEnd < 0 ? end : numberEnd, limit);
    Lora lora = new Lora(new LoraReference(source.substring(start, end), finite(weight, start)));
    return close < 0 ? null : new Match(List.of(lora), close);
  }
}
