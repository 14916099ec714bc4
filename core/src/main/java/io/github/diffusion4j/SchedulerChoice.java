package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

import io.github.diffusion4j.scheduler.Scheduler;
import io.github.diffusion4j.scheduler.Schedulers;
import java.util.Map;

/** Which solver a generation takes. */
public sealed interface SchedulerChoice {

  /**
   * Finds the solver.
   *
   * @param modelConfig content of the model's scheduler_config.json
   * @return the solver
   * @throws IllegalArgumentException if there is no solver of that name
   */
  Scheduler resolve(Map<String, Object> modelConfig);

  /** The model's own solver. */
  record ModelDefault() implements SchedulerChoice {
    @Override
    public Scheduler resolve(Map<String, Object> modelConfig) {
      return Schedulers.fromConfig(modelConfig);
    }
  }

  /**
   * Another solver on the model's own configuration, as diffusers' {@code from_config} makes it.
   *
   * @param name class name of diffusers, short name or display name
   */
  record Named(String name) implements SchedulerChoice {

    /** Checks that there is a name. */
    public Named {
      requireNonNull(name, "name");
    }

    @Override
    public Scheduler resolve(Map<String, Object> modelConfig) {
      return Schedulers.fromConfig(modelConfig, name);
    }
  }

  /**
   * A solver given as it is.
   *
   * @param scheduler the solver
   */
  record Given(Scheduler scheduler) implements SchedulerChoice {

    /** Checks that there is one. */
    public Given {
      requireNonNull(scheduler, "scheduler");
    }

    @Override
    public Scheduler resolve(Map<String, Object> modelConfig) {
      return scheduler;
    }
  }
}
