/** The denoising loop. Needs no native library. */
package io.github.diffusion4j.loop;
