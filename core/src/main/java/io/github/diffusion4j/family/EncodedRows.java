package io.github.diffusion4j.family;

import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Guidance;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;

/** The encoded rows of one generation, on their way to a denoiser's inputs. Not thread-safe. */
final class EncodedRows {

  private final int branches;
  private final int images;
  private final List<TextFeatures> rows;
  private final List<Conditioning.Input> inputs = new ArrayList<>();

  private EncodedRows(int branches, int images, List<TextFeatures> rows) {
    this.branches = branches;
    this.images = images;
    this.rows = rows;
  }

  /** Encodes each distinct row once. */
  static EncodedRows of(
      GenerationRequest request, Guidance guidance, Function<TextRow, TextFeatures> encode) {
    Function<TextRow, TextFeatures> once = TextRow.once(encode);
    List<TextFeatures> rows = TextRow.of(request, guidance).stream().map(once).toList();
    return new EncodedRows(guidance.branches(), request.images(), rows);
  }

  /** Adds the embeddings of the tokens as an input: [rows, tokens, width]. */
  EncodedRows hidden(String name) {
    TextFeatures first = rows.get(0);
    return add(name, TextFeatures::hidden, List.of(first.tokens(), first.width()));
  }

  /** Adds the embeddings of the whole texts as an input: [rows, width]. */
  EncodedRows pooled(String name) {
    return add(name, TextFeatures::pooled, List.of(rows.get(0).pooled().length));
  }

  private EncodedRows add(
      String name, Function<TextFeatures, float[]> part, List<Integer> rowShape) {
    int row = part.apply(rows.get(0)).length;
    float[] values = new float[Math.multiplyExact(rows.size(), row)];
    for (int i = 0; i < rows.size(); i++) {
      System.arraycopy(part.apply(rows.get(i)), 0, values, i * row, row);
    }
    inputs.add(new Conditioning.Input(name, values, rowShape));
    return this;
  }

  /** Adds an input whose rows are the same within each branch: the negative one first. */
  EncodedRows perBranch(String name, float[]... rowOfBranch) {
    int row = rowOfBranch[0].length;
    float[] values = new float[rows.size() * row];
    for (int i = 0; i < rows.size(); i++) {
      System.arraycopy(rowOfBranch[i / images], 0, values, i * row, row);
    }
    inputs.add(new Conditioning.Input(name, values, List.of(row)));
    return this;
  }

  /** Adds an input of one number for each row, the same for all. */
  EncodedRows number(String name, double value) {
    float[] values = new float[rows.size()];
    Arrays.fill(values, (float) value);
    inputs.add(new Conditioning.Input(name, values, List.of()));
    return this;
  }

  Conditioning conditioning() {
    return new Conditioning(branches, images, inputs);
  }
}
