package io.github.diffusion4j.prompt;

import java.util.ArrayList;
import java.util.List;

/** The tree of a Compel passage before weights are multiplied out. */
sealed interface CompelNode {

  /** A fragment of text. */
  record Leaf(String text) implements CompelNode {}

  /** Fragments under a common weight. */
  record Weighted(double weight, List<CompelNode> children) implements CompelNode {}

  /** An adapter; no text. */
  record Lora(CompelPrompt.LoraReference reference) implements CompelNode {}

  /** What an expression matched, and the index after it. */
  record Match(List<CompelNode> nodes, int end) {}

  /** A fragment's text: brackets and quotes lose their backslash. */
  static String unescape(String text) {
    return text.indexOf('\\') < 0
        ? text
        : text.replace("\\(", "(").replace("\\)", ")").replace("\\\"", "\"");
  }

  /**
   * Multiplies out the weights and joins neighbours of equal weight with a blank.
   *
   * @param nodes the tree
   * @param loras receives the adapters on the way
   * @return fragments; empty when there is no text node
   */
  static List<WeightedText> flatten(
      List<CompelNode> nodes, List<CompelPrompt.LoraReference> loras) {
    List<WeightedText> flat = new ArrayList<>();
    flatten(nodes, 1, flat, loras);
    List<WeightedText> fused = new ArrayList<>();
    for (int i = 0; i < flat.size(); ) {
      StringBuilder text = new StringBuilder(flat.get(i).text());
      double weight = flat.get(i).weight();
      int next = i + 1;
      for (; next < flat.size() && flat.get(next).weight() == weight; next++) {
        text.append(' ').append(flat.get(next).text());
      }
      fused.add(new WeightedText(unescape(text.toString()), weight));
      i = next;
    }
    return fused;
  }

  private static void flatten(
      List<CompelNode> nodes,
      double scale,
      List<WeightedText> flat,
      List<CompelPrompt.LoraReference> loras) {
    for (CompelNode node : nodes) {
      if (node instanceof Leaf leaf) {
        flat.add(new WeightedText(unescape(leaf.text()), scale));
      } else if (node instanceof Weighted weighted) {
        flatten(weighted.children(), scale * weighted.weight(), flat, loras);
      } else if (node instanceof Lora lora) {
        loras.add(lora.reference());
      }
    }
  }
}
