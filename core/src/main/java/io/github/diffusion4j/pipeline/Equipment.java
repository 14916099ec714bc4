package io.github.diffusion4j.pipeline;

import io.github.diffusion4j.GenerationRequest;
import io.github.diffusion4j.LatentCodec;

/**
 * What a pipeline works with beside its model's stages.
 *
 * @param runtime what computes, for the record
 * @param safety looks at decoded pictures
 * @param budget keeps generations within the memory
 * @param afterwards runs after each generation: closes networks that are not to stay in memory
 */
record Equipment(String runtime, SafetyCheck safety, Budget budget, Runnable afterwards)
    implements AutoCloseable {

  /** Keeps generations within the memory. */
  interface Budget {

    /** Of memory without a limit. */
    Budget NONE =
        new Budget() {
          @Override
          public GenerationRequest fit(GenerationRequest request) {
            return request;
          }

          @Override
          public LatentCodec decoder(LatentCodec codec, GenerationRequest fitted) {
            return codec;
          }
        };

    /**
     * The request as it fits.
     *
     * @throws IllegalArgumentException if it fits under no plan
     */
    GenerationRequest fit(GenerationRequest request);

    /** The codec with what a request that fits leaves for decoding. */
    LatentCodec decoder(LatentCodec codec, GenerationRequest fitted);
  }

  static final Equipment OF_GIVEN_STAGES =
      new Equipment("given stages", SafetyCheck.NONE, Budget.NONE, () -> {});

  @Override
  public void close() {
    safety.close();
  }
}
