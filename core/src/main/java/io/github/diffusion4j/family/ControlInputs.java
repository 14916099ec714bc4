package io.github.diffusion4j.family;

/** What one generation's controls give a UNet before each of its runs. Not thread-safe. */
interface ControlInputs extends AutoCloseable {

  /** Nothing. */
  ControlInputs NONE =
      new ControlInputs() {
        @Override
        public void apply(int run, float[] latents, double timestep) {}

        @Override
        public void close() {}
      };

  /**
   * Gives what the run needs.
   *
   * @param run of the UNet, among those of one evaluation
   * @param latents of one branch, as the UNet gets them
   * @param timestep in the model's units
   */
  void apply(int run, float[] latents, double timestep);

  @Override
  void close();
}
