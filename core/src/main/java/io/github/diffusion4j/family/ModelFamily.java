package io.github.diffusion4j.family;

import io.github.diffusion4j.LoraSet;
import io.github.diffusion4j.Stages;
import io.github.diffusion4j.onnx.OrtRuntime;
import java.io.IOException;

/** A kind of model: tells its folders from others and opens them. One class a family. */
public interface ModelFamily {

  /**
   * The family's name.
   *
   * @return such as {@code stable-diffusion}
   */
  String name();

  /**
   * Whether a folder holds a model of this family.
   *
   * @param layout the folder
   * @return true if {@link #open} is to be tried
   */
  boolean matches(ModelLayout layout);

  /**
   * Whether models of this family can be opened with words of textual inversion.
   *
   * @return true if {@link #open} heeds {@link ModelLayout#inversions}
   */
  default boolean takesTextualInversions() {
    return false;
  }

  /**
   * LoRAs with the names that this family's components have, where files call them otherwise.
   *
   * @param loras as read
   * @return the same changes
   */
  default LoraSet named(LoraSet loras) {
    return loras;
  }

  /**
   * Opens a model and checks that its parts agree.
   *
   * @param layout the folder
   * @param runtime opens the networks
   * @return owned by the caller
   * @throws IOException if a file cannot be read
   * @throws io.github.diffusion4j.ModelFormatException if a file is not what it should be
   */
  Stages open(ModelLayout layout, OrtRuntime runtime) throws IOException;
}
