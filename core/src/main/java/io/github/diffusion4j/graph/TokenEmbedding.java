package io.github.diffusion4j.graph;

import io.github.diffusion4j.ModelFormatException;
import io.github.diffusion4j.onnx.GraphEdit;
import java.util.List;

/** The embedding tables of text encoders. */
final class TokenEmbedding {

  private TokenEmbedding() {}

  /** A table with the rows that edits add after its last. */
  static Value extended(Value table, List<GraphEdit> edits) {
    Value longer = table;
    for (GraphEdit edit : edits) {
      if (edit instanceof GraphEdit.MoreEmbeddings more) {
        longer = Value.concat(0, longer, rows(longer, more));
      }
    }
    return longer;
  }

  private static Value rows(Value table, GraphEdit.MoreEmbeddings more) {
    if (table.dim(1) != more.width()) {
      throw new IllegalArgumentException(
          "embeddings are %d wide, but this text encoder's are %d; they belong to another kind of model"
              .formatted(more.width(), table.dim(1)));
    }
    if (table.dim(0) != more.first()) {
      throw new ModelFormatException(
          "the embedding table has %d rows, but the tokenizer's first new token is %d; the two belong to different models"
              .formatted(table.dim(0), more.first()));
    }
    float[] values = more.rows().toArray();
    return table.graph().constant(values, values.length / more.width(), more.width());
  }
}
