package io.github.diffusion4j.pipeline;

/**
 * What a pipeline works with beside its model's stages.
 *
 * @param runtime what computes, for the record
 * @param safety looks at decoded pictures
 */
record Equipment(String runtime, SafetyCheck safety) implements AutoCloseable {

  static final Equipment OF_GIVEN_STAGES = new Equipment("given stages", SafetyCheck.NONE);

  @Override
  public void close() {
    safety.close();
  }
}
