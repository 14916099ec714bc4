package io.github.diffusion4j;

import static java.util.Objects.requireNonNull;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a model says of itself: the defaults of a request that leaves something open.
 *
 * @param name folder name of the model
 * @param family kind of model, such as {@code stable-diffusion}
 * @param width default width in pixels
 * @param height default height in pixels
 * @param steps default number of steps
 * @param guidanceScale default guidance scale
 * @param fixedSize whether the networks take no other size
 * @param schedulerConfig content of scheduler_config.json
 */
public record ModelFacts(
    String name,
    String family,
    int width,
    int height,
    int steps,
    double guidanceScale,
    boolean fixedSize,
    Map<String, Object> schedulerConfig) {

  /** Steps that diffusers takes where nobody says. */
  public static final int DEFAULT_STEPS = 50;

  /** Guidance scale that diffusers takes where nobody says. */
  public static final double DEFAULT_GUIDANCE_SCALE = 7.5;

  /** Copies the map, in which values may be null as in JSON. */
  public ModelFacts {
    requireNonNull(name, "name");
    requireNonNull(family, "family");
    schedulerConfig = Collections.unmodifiableMap(new LinkedHashMap<>(schedulerConfig));
  }
}
