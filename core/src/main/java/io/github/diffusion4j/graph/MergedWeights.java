package io.github.diffusion4j.graph;

import io.github.diffusion4j.LowRank;
import io.github.diffusion4j.onnx.GraphEdit;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Weights with changes of low rank added to some of them, computed when they are read. */
final class MergedWeights implements Weights {

  private static final String WEIGHT = ".weight";

  private final Weights weights;
  private final Map<String, LowRank> changes;

  private MergedWeights(Weights weights, Map<String, LowRank> changes) {
    this.weights = weights;
    this.changes = changes;
  }

  /** The weights with what edits merge into them. */
  static Weights of(Weights weights, List<GraphEdit> edits) {
    Weights merged = weights;
    for (GraphEdit edit : edits) {
      if (edit instanceof GraphEdit.Merged merging) {
        merged = new MergedWeights(merged, merging.changes());
      }
    }
    return merged;
  }

  @Override
  public Optional<Weight> find(String key) {
    Optional<Weight> found = weights.find(key);
    LowRank change =
        key.endsWith(WEIGHT) && found.isPresent()
            ? changes.get(key.substring(0, key.length() - WEIGHT.length()))
            : null;
    return change == null ? found : Optional.of(found.get().changed(change));
  }

  @Override
  public Set<String> keys() {
    return weights.keys();
  }

  @Override
  public String source() {
    return weights.source();
  }
}
