/** Sources of standard normal noise that repeat the reference implementations' streams. */
package io.github.diffusion4j.noise;
