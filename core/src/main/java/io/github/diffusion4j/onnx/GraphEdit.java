package io.github.diffusion4j.onnx;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.Floats;

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
}
