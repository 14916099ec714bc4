package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What steers a denoiser through one generation besides the latents: for each guidance branch (the
 * negative one first) one row for each image.
 *
 * @param branches guidance branches, 1 or more
 * @param batch images
 * @param inputs the denoiser's extra inputs, each with branches · batch rows
 */
public record Conditioning(int branches, int batch, List<Input> inputs) {

  /**
   * Name of the input whose rows [channels, height, width] are appended to the latents' channels.
   */
  public static final String EXTRA_CHANNELS = "extra channels";

  /** Checks that every input has the same number of rows. */
  public Conditioning {
    if (branches < 1 || batch < 1) {
      throw new IllegalArgumentException(
          "branches and batch must be positive, got " + branches + " and " + batch);
    }
    inputs = List.copyOf(inputs);
    for (Input input : inputs) {
      if (input.values.length != (long) branches * batch * input.rowElements()) {
        throw new IllegalArgumentException(
            "conditioning \"%s\" has %d values, expected %d branches x %d images x %s"
                .formatted(input.name, input.values.length, branches, batch, input.rowShape));
      }
    }
  }

  /**
   * The input of a name.
   *
   * @param name such as {@code encoder_hidden_states}
   * @return that input
   * @throws IllegalArgumentException if there is none
   */
  public Input input(String name) {
    return find(name)
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no conditioning \""
                        + name
                        + "\", only "
                        + inputs.stream().map(Input::name).toList()));
  }

  /**
   * The input of a name, where there may be none.
   *
   * @param name such as {@link #EXTRA_CHANNELS}
   * @return that input
   */
  public Optional<Input> find(String name) {
    return inputs.stream().filter(input -> input.name.equals(name)).findFirst();
  }

  /**
   * The same with one more input.
   *
   * @param input with a row for each branch and image
   * @return a copy
   */
  public Conditioning with(Input input) {
    List<Input> more = new ArrayList<>(inputs);
    more.add(input);
    return new Conditioning(branches, batch, more);
  }

  /**
   * The same with other branches.
   *
   * @param from for each new branch the old one that it repeats
   * @return a copy
   */
  public Conditioning withBranches(int... from) {
    List<Input> rearranged = new ArrayList<>();
    for (Input input : inputs) {
      int branch = batch * input.rowElements();
      float[] values = new float[from.length * branch];
      for (int i = 0; i < from.length; i++) {
        System.arraycopy(input.values, from[i] * branch, values, i * branch, branch);
      }
      rearranged.add(new Input(input.name, values, input.rowShape));
    }
    return new Conditioning(from.length, batch, rearranged);
  }

  /** One named input of a denoiser: a row of values for each branch and image. */
  public static final class Input {

    private final String name;
    private final float[] values;
    private final List<Integer> rowShape;

    /**
     * Takes over the array.
     *
     * @param name the denoiser's name for it, such as {@code encoder_hidden_states}
     * @param values rows one after the other; not copied, not to be changed afterwards
     * @param rowShape dimensions of one row, such as tokens and width; empty for a number a row
     */
    public Input(String name, float[] values, List<Integer> rowShape) {
      this.name = requireNonNull(name, "name");
      this.values = requireNonNull(values, "values");
      this.rowShape = List.copyOf(rowShape);
    }

    /**
     * The denoiser's name for it.
     *
     * @return name of a network input
     */
    public String name() {
      return name;
    }

    /**
     * All rows.
     *
     * @return the array itself, not to be changed
     */
    public float[] values() {
      return values;
    }

    /**
     * Dimensions of one row.
     *
     * @return without the batch dimension
     */
    public List<Integer> rowShape() {
      return rowShape;
    }

    /**
     * Values of one row.
     *
     * @return product of the row's dimensions
     */
    public int rowElements() {
      return rowShape.stream().reduce(1, Math::multiplyExact);
    }
  }
}
