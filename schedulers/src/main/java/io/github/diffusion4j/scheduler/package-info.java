/** Diffusion solvers: immutable recipes and the state of a generation. */
package io.github.diffusion4j.scheduler;
