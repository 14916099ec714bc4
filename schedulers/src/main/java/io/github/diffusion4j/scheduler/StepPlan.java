package io.github.diffusion4j.scheduler;

/** Placeholder of the sealed step plan. */
public interface StepPlan {}
