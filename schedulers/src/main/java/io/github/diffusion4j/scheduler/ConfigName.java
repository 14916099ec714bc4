package io.github.diffusion4j.scheduler;

/** A constant that scheduler_config.json spells in its own way. */
interface ConfigName {

  /** The value in scheduler_config.json. */
  String configName();
}
