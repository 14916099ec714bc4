package io.github.diffusion4j.graph;

import io.github.diffusion4j.tensor.TensorStore;
import java.util.Optional;
import java.util.Set;

/**
 * A model's weights under the keys of its reference implementation. A view of another layout of
 * files (other names, fused or transposed matrices) implements this by looking up what it has.
 */
public interface Weights {

  /**
   * Looks a weight up.
   *
   * @param key name of the parameter, such as {@code conv_in.weight}
   * @return where it is; empty if the model does not have it
   */
  Optional<Weight> find(String key);

  /**
   * Looks a weight up for a layer that takes one shape only.
   *
   * @param key name of the parameter
   * @param expected the shape that the layer takes
   * @return where it is, of whatever shape; empty if the model does not have it
   */
  default Optional<Weight> find(String key, long... expected) {
    return find(key);
  }

  /**
   * All keys that can be found, so that those that no layer asked for can be reported.
   *
   * @return unmodifiable
   */
  Set<String> keys();

  /**
   * What messages call the place that the weights come from.
   *
   * @return a file or folder
   */
  String source();

  /**
   * The tensors of a file under their own names, left in place.
   *
   * @param store looked at when a key is asked for; must stay open until the graph is built
   * @return a view
   */
  static Weights of(TensorStore store) {
    return new StoredWeights(store);
  }
}
