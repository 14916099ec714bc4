package io.github.diffusion4j.graph;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.tensor.TensorStore;
import java.util.Optional;
import java.util.Set;

/** Weights under the names that they have in their file. */
record StoredWeights(TensorStore store) implements Weights {

  StoredWeights {
    requireNonNull(store, "store");
  }

  @Override
  public Optional<Weight> find(String key) {
    return store.names().contains(key) ? Optional.of(Weight.of(store.info(key))) : Optional.empty();
  }

  @Override
  public Set<String> keys() {
    return store.names();
  }

  @Override
  public String source() {
    return store.toString();
  }
}
