package io.github.diffusion4j.graph;

import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.UnaryOperator;

/** Weights of a file that was written by another version of the reference, under present names. */
final class RenamedWeights implements Weights {

  private final Weights stored;
  private final Map<String, String> storedNames;
  private final Set<String> keys;

  private RenamedWeights(Weights stored, Map<String, String> storedNames, Set<String> keys) {
    this.stored = stored;
    this.storedNames = storedNames;
    this.keys = Collections.unmodifiableSet(keys);
  }

  /** The weights themselves if all have present names; a name that is taken stays as it is. */
  static Weights of(Weights stored, UnaryOperator<String> present) {
    Map<String, String> storedNames = new HashMap<>();
    Set<String> keys = new TreeSet<>(stored.keys());
    for (String key : stored.keys()) {
      String name = present.apply(key);
      if (!name.equals(key) && keys.add(name)) {
        keys.remove(key);
        storedNames.put(name, key);
      }
    }
    return storedNames.isEmpty() ? stored : new RenamedWeights(stored, storedNames, keys);
  }

  @Override
  public Optional<Weight> find(String key) {
    return keys.contains(key) ? stored.find(storedNames.getOrDefault(key, key)) : Optional.empty();
  }

  @Override
  public Set<String> keys() {
    return keys;
  }

  @Override
  public String source() {
    return stored.source();
  }
}
