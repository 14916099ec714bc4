package io.github.diffusion4j.scheduler;

/** The combination {@code sample·x + output·m} of a sample x and a model output m. */
record LinearForm(double sample, double output) {}
