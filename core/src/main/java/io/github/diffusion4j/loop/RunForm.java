package io.github.diffusion4j.loop;

import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.LatentShape;
import java.util.Arrays;
import java.util.List;

/**
 * What generations that share a run have in common: all but the values of their rows.
 *
 * @param branches guidance branches
 * @param channels of the latents
 * @param height of the latents
 * @param width of the latents
 * @param inputs of the network besides
 */
record RunForm(int branches, int channels, int height, int width, List<InputForm> inputs) {

  /** An input's name and row, and its values where all rows share them. */
  record InputForm(String name, List<Integer> rowShape, SharedValues shared) {}

  /** Values that are compared one by one. */
  static final class SharedValues {
    private static final SharedValues NONE = new SharedValues(new float[0]);

    private final float[] values;

    private SharedValues(float[] values) {
      this.values = values;
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof SharedValues shared && Arrays.equals(values, shared.values);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(values);
    }
  }

  static RunForm of(Conditioning conditioning, LatentShape shape) {
    return new RunForm(
        conditioning.branches(),
        shape.channels(),
        shape.height(),
        shape.width(),
        conditioning.inputs().stream().map(RunForm::form).toList());
  }

  private static InputForm form(Conditioning.Input input) {
    return new InputForm(
        input.name(),
        input.rowShape(),
        input.shared() ? new SharedValues(input.values()) : SharedValues.NONE);
  }
}
