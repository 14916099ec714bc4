package io.github.diffusion4j.onnx;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.Floats;
import io.github.diffusion4j.LowRank;
import java.util.Collections;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * A change of a network's graph, made while it is opened; the file stays as it is. For what an
 * export has no input for.
 */
public sealed interface GraphEdit {

  /**
   * Puts rows after the last one of an embedding table.
   *
   * @param ids input of the network whose numbers pick rows of the table
   * @param first number of the first new row: as many rows as the table has
   * @param rows the new rows, one after the other, stored as the table's type
   * @param width values of one row, as many as the table's rows have
   */
  record MoreEmbeddings(String ids, int first, Floats rows, int width) implements GraphEdit {
    /** Checks that the rows are whole. */
    public MoreEmbeddings {
      requireNonNull(ids, "ids");
      int values = rows.length();
      if (width < 1 || values == 0 || values % width != 0) {
        throw new IllegalArgumentException(
            "rows must be whole rows of width %d, got %d values".formatted(width, values));
      }
    }
  }

  /**
   * Adds an input whose values are added to every row of attention scores: 0 lets a token be seen,
   * a large negative number hides it from all others. The new input is a vector of 32-bit floats,
   * one for each token, the same for the whole batch.
   *
   * @param input name of the new input, one that the graph does not use
   */
  record AttentionBias(String input) implements GraphEdit {
    /** Checks that there is a name. */
    public AttentionBias {
      if (input.isBlank()) {
        throw new IllegalArgumentException("input must be a name, got \"" + input + "\"");
      }
    }
  }

  /**
   * Adds to layers, after the product with their weight, the product with two matrices that are
   * inputs of the network: a change of low rank for each run. They are named by {@link #down} and
   * {@link #up}: [rank, in] and [out, rank], of a convolution [rank, in, height, width] and [out,
   * rank, 1, 1].
   *
   * @param layers names of {@link OrtModel#layers}
   */
  record LowRankInputs(SortedSet<String> layers) implements GraphEdit {
    /**
     * Input of a network that is built here: how many rows of tokens are changed. {@link
     * Long#MAX_VALUE} for all; 1 where all changes are zero, so that the first row's stands for
     * all.
     */
    public static final String ROWS = "lora.rows";

    private static final String PREFIX = "lora.";
    private static final String DOWN = ".down";
    private static final String UP = ".up";

    /** Copies the set. */
    public LowRankInputs {
      layers = Collections.unmodifiableSortedSet(new TreeSet<>(layers));
    }

    /**
     * The input that a layer's own input is multiplied with.
     *
     * @param layer one of the layers
     * @return its name
     */
    public static String down(String layer) {
      return PREFIX + layer + DOWN;
    }

    /**
     * The input that gives what is added to the layer's result.
     *
     * @param layer one of the layers
     * @return its name
     */
    public static String up(String layer) {
      return PREFIX + layer + UP;
    }

    /** Whether an input is one of those for changes. */
    static boolean isInput(String name) {
      boolean matrix = name.endsWith(DOWN) || name.endsWith(UP);
      return name.equals(ROWS) || name.startsWith(PREFIX) && matrix;
    }
  }

  /**
   * Adds changes of low rank to the weights themselves, for as long as the network is open.
   *
   * @param name tells these changes from others, for equality
   * @param changes by layer, names of {@link OrtModel#layers}
   */
  record Merged(String name, Map<String, LowRank> changes) implements GraphEdit {
    /** Copies the map. */
    public Merged {
      requireNonNull(name, "name");
      changes = Map.copyOf(changes);
    }

    @Override
    public boolean equals(Object other) {
      return other instanceof Merged merged
          && name.equals(merged.name)
          && changes.keySet().equals(merged.changes.keySet());
    }

    @Override
    public int hashCode() {
      return name.hashCode();
    }
  }

  /**
   * Computes in 32-bit floats what the network has in binary16: constants, casts, inputs and
   * outputs change their type. For networks that overflow, as the autoencoder of Stable Diffusion
   * XL does.
   */
  record Float32() implements GraphEdit {}

  /**
   * Lets each row have its own timestep: a scalar input {@code timestep} becomes a vector with as
   * many numbers as the network has rows. A graph of another form than the usual exports stays as
   * it is.
   */
  record RowTimesteps() implements GraphEdit {}

  /**
   * Leaves of a UNet only the layers above a cut; what they read from below becomes an input,
   * {@link #deepFeature}. Only for UNets that are built here; inputs for residuals are left out.
   *
   * @param branch how many layers on the way down are above the cut, beside the first convolution;
   *     as many layers and one on the way up are above it
   */
  record DeepFeatureInput(int branch) implements GraphEdit {
    /** Checks the branch. */
    public DeepFeatureInput {
      if (branch < 0) {
        throw new IllegalArgumentException("branch must be at least 0, got " + branch);
      }
    }
  }

  /**
   * Name of the output and input for what the last layers of a UNet read from below.
   *
   * @param branch as in {@link DeepFeatureInput}
   * @return such as {@code deep_feature_0}
   */
  static String deepFeature(int branch) {
    return "deep_feature_" + branch;
  }
}
