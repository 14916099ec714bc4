package io.github.diffusion4j.scheduler;

/** A solver for models trained on discrete steps of growing noise. */
public interface TrainedScheduler extends Scheduler {

  /**
   * The tables of the model's training.
   *
   * @return made anew from the betas
   */
  NoiseSchedule noiseSchedule();
}
