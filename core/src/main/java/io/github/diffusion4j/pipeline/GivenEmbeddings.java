package io.github.diffusion4j.pipeline;

import io.github.diffusion4j.Conditioning;
import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.Guidance;
import io.github.diffusion4j.PromptEmbeddings;
import java.util.ArrayList;
import java.util.List;

/** Puts a request's own embeddings in the place of those that its prompts gave. */
record GivenEmbeddings(GenerationRequest request, Guidance guidance) {

  /** The conditioning, with the request's own rows where it has any. */
  Conditioning in(Conditioning conditioning) {
    return request
        .text()
        .embeddings()
        .map(given -> replaced(conditioning, given))
        .orElse(conditioning);
  }

  private Conditioning replaced(Conditioning conditioning, PromptEmbeddings given) {
    if (guidance instanceof Guidance.Composed) {
      throw new IllegalArgumentException("given embeddings cannot be joined by AND");
    }
    boolean guided = guidance.branches() > 1;
    List<Conditioning.Input> inputs = new ArrayList<>();
    for (Conditioning.Input input : conditioning.inputs()) {
      float[] values = input.values().clone();
      List<Integer> shape = input.rowShape();
      int branch = values.length / conditioning.branches();
      for (PromptEmbeddings.Rows rows : given.prompt()) {
        if (rows.input().equals(input.name())) {
          shape = rows.shape();
          float[] positive = repeated(rows);
          float[] negative =
              guided
                  ? negative(given, rows, java.util.Arrays.copyOf(values, branch))
                  : new float[0];
          values = java.util.Arrays.copyOf(negative, negative.length + positive.length);
          System.arraycopy(positive, 0, values, negative.length, positive.length);
        }
      }
      inputs.add(input.shared() ? input : new Conditioning.Input(input.name(), values, shape));
    }
    for (PromptEmbeddings.Rows rows : given.prompt()) {
      conditioning.input(rows.input()); // names the inputs there are, if it is none of them
    }
    return new Conditioning(conditioning.branches(), conditioning.batch(), inputs);
  }

  private float[] negative(PromptEmbeddings given, PromptEmbeddings.Rows prompt, float[] encoded) {
    for (PromptEmbeddings.Rows rows : given.negative()) {
      if (rows.input().equals(prompt.input())) {
        if (!rows.shape().equals(prompt.shape())) {
          throw new IllegalArgumentException(
              "%s: embeddings of prompts and negative prompts must have rows of one shape, got %s and %s"
                  .formatted(rows.input(), prompt.shape(), rows.shape()));
        }
        return repeated(rows);
      }
    }
    int expected = request.images() * (prompt.values().length() / prompt.count());
    if (encoded.length != expected) {
      throw new IllegalArgumentException(
          "%s: the negative prompts' rows differ in shape from the given %s; give the negative embeddings too"
              .formatted(prompt.input(), prompt.shape()));
    }
    return encoded;
  }

  /** A row for each image, of rows for each prompt or one for all. */
  private float[] repeated(PromptEmbeddings.Rows rows) {
    int prompts = request.prompts().size();
    if (rows.count() != 1 && rows.count() != prompts) {
      throw new IllegalArgumentException(
          "%s: expected 1 row of embeddings, or one for each of the %d prompts, got %d"
              .formatted(rows.input(), prompts, rows.count()));
    }
    float[] values = rows.values().toArray();
    int row = values.length / rows.count();
    float[] repeated = new float[request.images() * row];
    for (int image = 0; image < request.images(); image++) {
      int from = rows.count() == 1 ? 0 : image / request.imagesPerPrompt();
      System.arraycopy(values, from * row, repeated, image * row, row);
    }
    return repeated;
  }
}
