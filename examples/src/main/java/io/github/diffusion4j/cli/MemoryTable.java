package io.github.diffusion4j.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.diffusion4j.family.MemoryNeeds;
import io.github.diffusion4j.family.MemoryPlan;
import java.util.Locale;

/**
 * What a model takes of memory, for people and programs.
 *
 * @param needs of the model
 * @param reusing of the model where features are reused; the same where that cannot be
 * @param work the generation that plans are counted for
 */
record MemoryTable(MemoryNeeds needs, MemoryNeeds reusing, MemoryNeeds.Work work) {

  private static final double MIB = 1L << 20;

  /** Readable lines. */
  String toText() {
    StringBuilder text = new StringBuilder(System.lineSeparator());
    String picture = "one picture of " + work.width() + " x " + work.height();
    Inspection.line(text, "memory", "estimated for " + picture + ", on the CPU");
    needs
        .weights()
        .forEach((name, bytes) -> Inspection.line(text, "  weights", size(bytes) + "  " + name));
    for (MemoryPlan plan : MemoryPlan.ALL) {
      Inspection.line(text, "  peak", size(needs.peak(plan, work)) + "  " + plan);
    }
    if (reuses()) {
      MemoryPlan first = MemoryPlan.ALL.get(0);
      Inspection.line(
          text, "  peak", size(reusing.peak(first, work)) + "  " + first + ", with feature reuse");
    }
    return text.toString();
  }

  private boolean reuses() {
    return !reusing.equals(needs);
  }

  private static String size(long bytes) {
    return String.format(Locale.ROOT, "%,8.0f MiB", bytes / MIB);
  }

  /** Adds an object {@code memory}. */
  void write(ObjectNode root) {
    ObjectNode memory = root.putObject("memory");
    memory.put("width", work.width()).put("height", work.height());
    ObjectNode weights = memory.putObject("weights_bytes");
    needs.weights().forEach(weights::put);
    for (MemoryPlan plan : MemoryPlan.ALL) {
      ObjectNode entry =
          memory
              .withArray("plans")
              .addObject()
              .put("residency", plan.residency().name().toLowerCase(Locale.ROOT))
              .put("batching", plan.batching().name().toLowerCase(Locale.ROOT))
              .put("tiled", plan.tiled())
              .put("peak_bytes", needs.peak(plan, work));
      if (reuses()) {
        entry.put("peak_bytes_with_feature_reuse", reusing.peak(plan, work));
      }
    }
  }
}
