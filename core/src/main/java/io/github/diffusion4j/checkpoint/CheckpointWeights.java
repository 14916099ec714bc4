package io.github.diffusion4j.checkpoint;

import io.github.diffusion4j.graph.Weight;
import io.github.diffusion4j.graph.Weights;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** One network's weights within a checkpoint, under diffusers' keys. */
record CheckpointWeights(String source, Map<String, Weight> weights) implements Weights {

  @Override
  public Optional<Weight> find(String key) {
    return Optional.ofNullable(weights.get(key));
  }

  @Override
  public Set<String> keys() {
    return Collections.unmodifiableSet(weights.keySet());
  }
}
