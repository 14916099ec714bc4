/** The command line {@code diffusion4j}. */
package io.github.diffusion4j.cli;
