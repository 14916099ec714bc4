package io.github.diffusion4j.graph;

import io.github.diffusion4j.LowRank;
import io.github.diffusion4j.onnx.GraphEdit;
import io.github.diffusion4j.tensor.TensorType;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Weights with changes of low rank added to some of them. For one thread. */
final class MergedWeights implements Weights {

  private static final String WEIGHT = ".weight";

  private final Weights weights;
  private final Map<String, LowRank> changes;
  private final Map<String, Weight> changed = new HashMap<>();

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
    return change == null
        ? found
        : Optional.of(changed.computeIfAbsent(key, absent -> merged(found.get(), change)));
  }

  private static Weight merged(Weight weight, LowRank change) {
    try {
      float[] values = weight.floats();
      change.addTo(values);
      ByteBuffer bytes =
          ByteBuffer.allocateDirect(Math.multiplyExact(4, values.length))
              .order(ByteOrder.LITTLE_ENDIAN);
      bytes.asFloatBuffer().put(values);
      return new Weight(TensorType.F32, weight.seen(), new Weight.InMemory(bytes), false);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
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
