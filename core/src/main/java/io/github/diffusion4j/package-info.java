/** Requests, results, errors and the seams between a pipeline's stages. */
package io.github.diffusion4j;
