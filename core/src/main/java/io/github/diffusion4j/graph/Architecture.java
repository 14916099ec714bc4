package io.github.diffusion4j.graph;

import io.github.diffusion4j.onnx.ElementType;
import io.github.diffusion4j.onnx.GraphEdit;
import java.util.List;

/**
 * A network of a published kind with all its sizes: what can write itself as a graph. Immutable.
 */
public interface Architecture {

  /**
   * Adds inputs, layers and outputs, named as Hugging Face optimum names them in its exports.
   *
   * @param graph without nodes yet
   * @param edits changes to make on the way
   * @throws IllegalArgumentException if this kind of network has no such change
   */
  void addTo(Graph graph, List<GraphEdit> edits);

  /**
   * Whether a file of weights may hold a key that no layer uses: a buffer, or a weight of another
   * network in the same file.
   *
   * @param key name of a tensor
   * @return false for all but those
   */
  boolean tolerates(String key);

  /**
   * What the reference's present version calls a tensor. Older and newer versions have written
   * files with other names; layers ask for the present ones.
   *
   * @param key name in a file
   * @return usually the argument
   */
  default String presentName(String key) {
    return key;
  }

  /**
   * Whether the network can compute in BFLOAT16: the operators of its graph must take it. The
   * standard's convolutions do not in the operator set that graphs have.
   *
   * @return whether; if not, FLOAT16 is asked for instead
   */
  default boolean takesBfloat16() {
    return false;
  }

  /**
   * Whether inputs for LoRAs cost such a network next to nothing: LoRAs are made for it, and its
   * matrices have biases or rows of all tokens.
   *
   * @return whether it has them where all networks are to
   */
  default boolean takesLoraInputs() {
    return false;
  }

  /**
   * The precision that the network computes in when another is asked for.
   *
   * @param asked what the runtime would take
   * @return usually the argument
   */
  default ElementType precision(ElementType asked) {
    return asked;
  }
}
