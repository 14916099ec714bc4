package io.github.diffusion4j.bench;

import io.github.diffusion4j.BranchBatching;
import io.github.diffusion4j.Residency;
import io.github.diffusion4j.RuntimeOptions;
import io.github.diffusion4j.VaeTiling;
import java.util.Arrays;
import java.util.List;

/**
 * A way to spend memory, by name: words joined by {@code +}.
 *
 * @param name such as {@code on-demand+two-pass}
 * @param words its parts
 */
record MemoryPlan(String name, List<String> words) {

  private static final List<String> KNOWN =
      List.of("all", "on-demand", "two-pass", "tiles", "no-arena", "pattern");

  /** Reads a name. */
  static MemoryPlan of(String name) {
    List<String> words = Arrays.asList(name.split("\\+"));
    if (!KNOWN.containsAll(words)) {
      throw new IllegalArgumentException("a plan is made of " + KNOWN + ", got " + name);
    }
    return new MemoryPlan(name, words);
  }

  /** Options of the runtime. */
  RuntimeOptions options() {
    return RuntimeOptions.builder()
        .residency(words.contains("on-demand") ? Residency.ON_DEMAND : Residency.ALL)
        .vaeTiling(words.contains("tiles") ? VaeTiling.ON.withTileSize(256) : VaeTiling.OFF)
        .memoryArena(!words.contains("no-arena"))
        .memoryPattern(words.contains("pattern"))
        .build();
  }

  /** How guidance's branches run. */
  BranchBatching batching() {
    return words.contains("two-pass") ? BranchBatching.ONE_BY_ONE : BranchBatching.TOGETHER;
  }
}
