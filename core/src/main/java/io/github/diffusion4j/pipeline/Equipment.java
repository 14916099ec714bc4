package io.github.diffusion4j.pipeline;

import io.github.diffusion4j.GenerationRequest;
import java.util.function.UnaryOperator;

/**
 * What a pipeline works with beside its model's stages.
 *
 * @param runtime what computes, for the record
 * @param safety looks at decoded pictures
 * @param budget makes a request fit the memory, or refuses it
 * @param afterwards runs after each generation: closes networks that are not to stay in memory
 */
record Equipment(
    String runtime,
    SafetyCheck safety,
    UnaryOperator<GenerationRequest> budget,
    Runnable afterwards)
    implements AutoCloseable {

  static final Equipment OF_GIVEN_STAGES =
      new Equipment("given stages", SafetyCheck.NONE, request -> request, () -> {});

  @Override
  public void close() {
    safety.close();
  }
}
