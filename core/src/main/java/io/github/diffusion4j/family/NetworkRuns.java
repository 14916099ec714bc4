package io.github.diffusion4j.family;

import io.github.diffusion4j.onnx.OrtBinding;

/** How one generation's denoiser runs its network. Not thread-safe. */
interface NetworkRuns extends AutoCloseable {

  /** Every time the same network, which is closed elsewhere. */
  static NetworkRuns of(OrtBinding binding) {
    return new NetworkRuns() {
      @Override
      public OrtBinding next(int run) {
        return binding;
      }

      @Override
      public void run(int run) {
        binding.run();
      }

      @Override
      public void close() {}
    };
  }

  /**
   * What runs next, to be given its inputs.
   *
   * @param run among those of one evaluation, each asked for in turn
   */
  OrtBinding next(int run);

  /** Runs what {@link #next} gave. */
  void run(int run);

  @Override
  void close();
}
