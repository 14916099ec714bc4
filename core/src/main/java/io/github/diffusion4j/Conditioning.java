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
 * @param inputs the denoiser's extra inputs, each with branches · batch rows, or shared by all
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
      long rows = input.shared ? 1 : (long) branches * batch;
      if (input.values.length != rows * input.rowElements()) {
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
   * The same with other branches.
   *
   * @param from for each new branch the old one that it repeats
   * @return a copy
   */
  public Conditioning withBranches(int... from) {
    List<Input> rearranged = new ArrayList<>();
    for (Input input : inputs) {
      if (input.shared()) {
        rearranged.add(input);
        continue;
      }
      int branch = batch * input.rowElements();
      float[] values = new float[from.length * branch];
      for (int i = 0; i < from.length; i++) {
        System.arraycopy(input.values, from[i] * branch, values, i * branch, branch);
      }
      rearranged.add(new Input(input.name, values, input.rowShape));
    }
    return new Conditioning(from.length, batch, rearranged);
  }

  /**
   * This with more inputs.
   *
   * @param more inputs of other names
   * @return a copy
   */
  public Conditioning with(Input... more) {
    List<Input> all = new ArrayList<>(inputs);
    all.addAll(List.of(more));
    return new Conditioning(branches, batch, all);
  }

  /**
   * One named input of a denoiser: a row of values for each branch and image, or values that all
   * share.
   */
  public static final class Input {

    private final String name;
    private final float[] values;
    private final List<Integer> rowShape;
    private final boolean shared;

    /**
     * Takes over the array.
     *
     * @param name the denoiser's name for it, such as {@code encoder_hidden_states}
     * @param values rows one after the other; not copied, not to be changed afterwards
     * @param rowShape dimensions of one row, such as tokens and width; empty for a number a row
     */
    public Input(String name, float[] values, List<Integer> rowShape) {
      this(name, values, rowShape, false);
    }

    private Input(String name, float[] values, List<Integer> rowShape, boolean shared) {
      this.name = requireNonNull(name, "name");
      this.values = requireNonNull(values, "values");
      this.rowShape = List.copyOf(rowShape);
      this.shared = shared;
    }

    /**
     * An input without a batch dimension: the same for all branches and images.
     *
     * @param name the denoiser's name for it, such as {@code img_ids}
     * @param values not copied, not to be changed afterwards
     * @param shape its dimensions; empty for one number
     * @return the input
     */
    public static Input shared(String name, float[] values, List<Integer> shape) {
      return new Input(name, values, shape, true);
    }

    /**
     * Whether it has no batch dimension.
     *
     * @return true if all branches and images share the values
     */
    public boolean shared() {
      return shared;
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
     * Dimensions of one row, or of the whole where it is shared.
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
